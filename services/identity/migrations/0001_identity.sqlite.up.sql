-- Users, their sessions, and what proves them. Times are microseconds UTC, ids are UUIDs of 16 bytes.

CREATE TABLE identity_users (
  id            BLOB    NOT NULL PRIMARY KEY,
  email         TEXT    NOT NULL,              -- as the user wrote it
  email_key     TEXT    NOT NULL UNIQUE,       -- what it is compared by
  name          TEXT,
  password_hash TEXT    NOT NULL,
  roles         TEXT    NOT NULL,              -- JSON list of role names
  generation    INTEGER NOT NULL,              -- grows with each change of rights; older access tokens are refused
  disabled_at   INTEGER,
  version       INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A session is a family of refresh tokens. Ending it deletes it.
CREATE TABLE identity_sessions (
  id           BLOB    NOT NULL PRIMARY KEY,
  user_id      BLOB    NOT NULL REFERENCES identity_users (id) ON DELETE CASCADE,
  address      TEXT    NOT NULL,
  user_agent   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_sessions_by_user ON identity_sessions (user_id, last_used_at);
CREATE INDEX identity_sessions_by_expiry ON identity_sessions (expires_at);

-- A chain for each session: using a token makes one successor. A used one stays for a while, to recognise its reuse.
-- The token itself is kept only where its predecessor was used, sealed with the key of identity.key_file, until it is
-- used or a minute has passed: the answer that brought it may have been lost.
CREATE TABLE identity_refresh_tokens (
  token_hash   TEXT    NOT NULL PRIMARY KEY,   -- BLAKE2b-256 in base64url
  session_id   BLOB    NOT NULL REFERENCES identity_sessions (id) ON DELETE CASCADE,
  issued_at    INTEGER NOT NULL,
  used_at      INTEGER,                        -- for the first time
  parent_hash  TEXT,                           -- whose successor it is
  sealed_token TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_refresh_tokens_by_session ON identity_refresh_tokens (session_id, used_at);
CREATE INDEX identity_refresh_tokens_sealed ON identity_refresh_tokens (issued_at) WHERE sealed_token IS NOT NULL;

-- Access tokens that are refused before they expire: those of one session, or those of a user older than a
-- generation. Every running server reads on from the last seq it has seen; a row outlives the last token that it
-- concerns. One writer, so seq is the order of commits.
CREATE TABLE identity_revocations (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id BLOB,
  user_id    BLOB,
  generation INTEGER,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX identity_revocations_by_expiry ON identity_revocations (expires_at);

-- Keys of access tokens, each sealed with the key of identity.key_file.
CREATE TABLE identity_signing_keys (
  kid         TEXT    NOT NULL PRIMARY KEY,
  sealed_seed TEXT    NOT NULL,                -- base64url
  signs_from  INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
