CREATE TABLE entries (
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  message TEXT NOT NULL,
  homepage TEXT,
  signed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_time ON entries (signed_at, id);
