-- Personal tasks. Rows of one owner lie together (the primary key starts with the owner and the table is
-- clustered), because every statement names the owner: a point read is one descent, a list one short scan.
-- (A check with IN and three values would make SQLite build and drop a temporary tree for each row.)
CREATE TABLE tasks (
  owner        BLOB    NOT NULL CHECK (length(owner) = 16),
  id           BLOB    NOT NULL CHECK (length(id) = 16),
  title        TEXT    NOT NULL,
  title_key    TEXT    NOT NULL,           -- words::sort_key() of the title, which lists are sorted by
  description  TEXT    NOT NULL,
  status       TEXT    NOT NULL CHECK (status = 'todo' OR status = 'in_progress' OR status = 'done'),
  due_at       INTEGER,                    -- microseconds, UTC
  due_or_never INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(due_at, 253402300800000000)) VIRTUAL,  -- the year 10000
  labels       TEXT    NOT NULL,           -- JSON array of strings
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) WITHOUT ROWID;
-- Lists of one status in the order of due dates. (The newest first: the primary key, for IDs sort by creation time.)
CREATE INDEX tasks_status_due ON tasks (owner, status, due_or_never, id);

-- The search index; the owner is the partition. bedplate/search/index.h says these tables, a test compares.
CREATE TABLE tasks_search (
  number INTEGER PRIMARY KEY,
  part BLOB NOT NULL,
  id BLOB NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  UNIQUE (part, id)
);
CREATE VIRTUAL TABLE tasks_search_words USING fts5(title, description, content='', tokenize='bedplate english partitioned');
