-- Outcomes of commands that were called with an idempotency key; see bedplate/execution/idempotency.h.
CREATE TABLE idempotency_keys (
  id         BLOB PRIMARY KEY,   -- of principal, operation and key
  salt       BLOB NOT NULL,
  input_hash BLOB NOT NULL,
  refused    INTEGER NOT NULL,   -- whether the outcome is an error
  outcome    TEXT,               -- NULL: too large to keep
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);
