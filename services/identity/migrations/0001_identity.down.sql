DROP TABLE identity_signing_keys;
DROP TABLE identity_revocations;
{postgresql} DROP FUNCTION identity_revocations_in_order; {end}
DROP TABLE identity_refresh_tokens;
DROP TABLE identity_sessions;
DROP TABLE identity_users;
