-- Outcomes of commands that were called with an idempotency key; see bedplate/execution/idempotency.h.
CREATE TABLE idempotency_keys (
  id         {uuid} NOT NULL PRIMARY KEY,  -- of principal, operation and key
  salt       {uuid} NOT NULL,
  input_hash {uuid} NOT NULL,
  refused    {bool} NOT NULL,              -- whether the outcome is an error
  outcome    text,                         -- NULL: too large to keep
  expires_at {time} NOT NULL
){strict};
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires_at);
