-- Answers kept for commands with an Idempotency-Key; see bedplate/execution/idempotency.h.
CREATE TABLE api_idempotency (
  id           BLOB PRIMARY KEY,   -- of principal, operation and key
  salt         BLOB NOT NULL,
  request_hash BLOB NOT NULL,
  status       INTEGER NOT NULL,
  location     TEXT NOT NULL,
  etag         TEXT NOT NULL,
  body         TEXT,               -- NULL: too large to keep
  expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX api_idempotency_expires ON api_idempotency (expires_at);
