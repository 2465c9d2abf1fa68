-- Who changed what: see bedplate/execution/audit.h. Ids are UUIDv7, so the table is in the order of time.
CREATE TABLE audit_log (
  id             BLOB PRIMARY KEY,
  at             INTEGER NOT NULL,
  operation      TEXT NOT NULL,
  principal_kind TEXT NOT NULL,
  principal      BLOB,
  act            BLOB,
  tenant_id      BLOB,
  address        TEXT NOT NULL,
  subject        TEXT,
  request_id     TEXT NOT NULL,
  outcome        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
