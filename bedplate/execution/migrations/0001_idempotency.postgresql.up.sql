-- Answers kept for commands with an Idempotency-Key; see bedplate/execution/idempotency.h.
CREATE TABLE api_idempotency (
  id           uuid PRIMARY KEY,   -- of principal, operation and key
  salt         uuid NOT NULL,
  request_hash uuid NOT NULL,
  status       integer NOT NULL,
  location     text NOT NULL,
  etag         text NOT NULL,
  body         text,               -- NULL: too large to keep
  expires_at   timestamptz NOT NULL
);
CREATE INDEX api_idempotency_expires ON api_idempotency (expires_at);
