-- Personal tasks. Every statement names the owner, with whom the primary key starts. Texts that lists are sorted by
-- are compared byte by byte, as on the other engine, whatever the database's locale.
CREATE TABLE tasks (
  owner        uuid        NOT NULL,
  id           uuid        NOT NULL,
  title        text        NOT NULL COLLATE "C",
  title_key    text        NOT NULL COLLATE "C",  -- words::sort_key() of the title, which lists are sorted by
  description  text        NOT NULL,
  status       text        NOT NULL COLLATE "C" CHECK (status IN ('todo', 'in_progress', 'done')),
  due_at       timestamptz,
  due_or_never timestamptz NOT NULL
               GENERATED ALWAYS AS (coalesce(due_at, timestamptz '10000-01-01 00:00:00+00')) STORED,
  labels       jsonb       NOT NULL,       -- array of strings
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL,
  PRIMARY KEY (owner, id)
);
-- Lists of one status in the order of due dates. (The newest first: the primary key, for IDs sort by creation time.)
CREATE INDEX tasks_status_due ON tasks (owner, status, due_or_never, id);

-- The search index; the owner is the partition. bedplate/search/index.h says this table, a test compares.
CREATE TABLE tasks_search (
  part uuid NOT NULL,
  id uuid NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (part, id)
);
CREATE INDEX tasks_search_words ON tasks_search USING gin (words) WITH (fastupdate = off);
