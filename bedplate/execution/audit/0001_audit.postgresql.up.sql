-- Who changed what: see bedplate/execution/audit.h. Ids are UUIDv7, so the table is in the order of time.
CREATE TABLE audit_log (
  id             uuid PRIMARY KEY,
  at             timestamptz NOT NULL,
  operation      text NOT NULL,
  principal_kind text NOT NULL,
  principal      uuid,
  act            uuid,
  tenant_id      uuid,
  address        text NOT NULL,
  subject        text,
  request_id     text NOT NULL,
  outcome        text NOT NULL
);
