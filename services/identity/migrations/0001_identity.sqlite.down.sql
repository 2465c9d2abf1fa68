DROP TABLE identity_signing_keys;
DROP TABLE identity_revocations;
DROP TABLE identity_refresh_tokens;
DROP TABLE identity_sessions;
DROP TABLE identity_users;
