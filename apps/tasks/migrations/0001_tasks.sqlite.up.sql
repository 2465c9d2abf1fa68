-- Personal tasks. Rows of one owner lie together (the primary key starts with the owner and the table is
-- clustered), because every statement names the owner: a point read is one descent, a list one short scan.
CREATE TABLE tasks (
  owner       BLOB    NOT NULL CHECK (length(owner) = 16),
  id          BLOB    NOT NULL CHECK (length(id) = 16),
  title       TEXT    NOT NULL,
  description TEXT    NOT NULL,
  status      TEXT    NOT NULL CHECK (status IN ('todo', 'in_progress', 'done')),
  due_at      INTEGER,                    -- microseconds, UTC
  labels      TEXT    NOT NULL,           -- JSON array of strings
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  search_id   INTEGER NOT NULL UNIQUE,    -- the row's number in tasks_search, which knows integers only
  PRIMARY KEY (owner, id)
) WITHOUT ROWID;

-- Full-text index. The owner is a word of every document, so a search matches inside one owner's tasks instead of
-- searching everybody's and filtering afterwards. Contentless: the text lives in `tasks` alone. The store keeps it
-- in step with `tasks`, in the same transaction: triggers cost more (docs/decisions/0010-search-index-of-tasks.md).
CREATE VIRTUAL TABLE tasks_search USING fts5(owner, title, description, content='', tokenize='porter unicode61 remove_diacritics 2', detail=full);
