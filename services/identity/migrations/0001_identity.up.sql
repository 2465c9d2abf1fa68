-- Users, their sessions, and what proves them.

CREATE TABLE identity_users (
  id            {uuid}    NOT NULL PRIMARY KEY,
  email         text      NOT NULL,         -- as the user wrote it
  email_key     text      NOT NULL UNIQUE,  -- what it is compared by
  name          text,
  password_hash text      NOT NULL,
  roles         text      NOT NULL,         -- JSON list of role names
  generation    {integer} NOT NULL,         -- grows with each change of rights; older access tokens are refused
  disabled_at   {time},
  version       {integer} NOT NULL,
  created_at    {time}    NOT NULL,
  updated_at    {time}    NOT NULL
){clustered};

-- A session is a family of refresh tokens. Ending it deletes it.
CREATE TABLE identity_sessions (
  id           {uuid}    NOT NULL PRIMARY KEY,
  user_id      {uuid}    NOT NULL REFERENCES identity_users (id) ON DELETE CASCADE,
  address      text      NOT NULL,
  user_agent   text      NOT NULL,
  created_at   {time}    NOT NULL,
  last_used_at {time}    NOT NULL,
  expires_at   {time}    NOT NULL,
  version      {integer} NOT NULL
){clustered};

CREATE INDEX identity_sessions_by_user ON identity_sessions (user_id, last_used_at);
CREATE INDEX identity_sessions_by_expiry ON identity_sessions (expires_at);

-- A chain for each session: using a token makes one successor. A used one stays for a while, to recognise its reuse.
-- The token itself is kept only where its predecessor was used, sealed with the key of identity.key_file, until it is
-- used or a minute has passed: the answer that brought it may have been lost.
CREATE TABLE identity_refresh_tokens (
  token_hash   text    NOT NULL PRIMARY KEY,  -- BLAKE2b-256 in base64url
  session_id   {uuid}  NOT NULL REFERENCES identity_sessions (id) ON DELETE CASCADE,
  issued_at    {time}  NOT NULL,
  used_at      {time},                        -- for the first time
  parent_hash  text,                          -- whose successor it is
  sealed_token text
){clustered};

CREATE INDEX identity_refresh_tokens_by_session ON identity_refresh_tokens (session_id, used_at);
CREATE INDEX identity_refresh_tokens_sealed ON identity_refresh_tokens (issued_at) WHERE sealed_token IS NOT NULL;

-- Access tokens that are refused before they expire: those of one session, or those of a user older than a
-- generation. Every running server reads on from the last seq it has seen; a row outlives the last token that it
-- concerns. On SQLite there is one writer, so seq is the order of commits.
CREATE TABLE identity_revocations (
  seq        {identity},
  session_id {uuid},
  user_id    {uuid},
  generation {integer},
  expires_at {time}     NOT NULL
){strict};

CREATE INDEX identity_revocations_by_expiry ON identity_revocations (expires_at);

{postgresql}
-- seq is the order of commits, or a server that reads on from 8 would never see a 7 that commits after it: whoever
-- inserts waits for those before to commit, then takes a number. (A statement's trigger runs before the statement
-- takes its numbers; the lock goes with the transaction.)
CREATE FUNCTION identity_revocations_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock('identity_revocations'::regclass::oid::bigint);
  RETURN NULL;
END
$$;

CREATE TRIGGER identity_revocations_in_order BEFORE INSERT ON identity_revocations
  FOR EACH STATEMENT EXECUTE FUNCTION identity_revocations_in_order();
{end}

-- Keys of access tokens, each sealed with the key of identity.key_file.
CREATE TABLE identity_signing_keys (
  kid         text   NOT NULL PRIMARY KEY,
  sealed_seed text   NOT NULL,  -- base64url
  signs_from  {time} NOT NULL,
  created_at  {time} NOT NULL
){clustered};
