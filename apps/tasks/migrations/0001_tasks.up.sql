-- Personal tasks. Rows of one owner lie together (the primary key starts with the owner, and on SQLite the table is
-- clustered), because every statement names the owner: a point read is one descent, a list one short scan.
-- (A check with IN and three values would make SQLite build and drop a temporary tree for each row.)
CREATE TABLE tasks (
  owner        {uuid} NOT NULL,
  id           {uuid} NOT NULL,
  title        {text} NOT NULL,
  title_key    {text} NOT NULL,  -- unicode::sort_key() of the title, which lists are sorted by
  description  {text} NOT NULL,
  status       {text} NOT NULL CHECK (status = 'todo' OR status = 'in_progress' OR status = 'done'),
  due_at       {time},
  due_or_never {time} NOT NULL GENERATED ALWAYS AS (coalesce(due_at, {never})) {computed},
  labels       {json} NOT NULL,  -- array of strings
  created_at   {time} NOT NULL,
  updated_at   {time} NOT NULL,
  version      {integer} NOT NULL,
  PRIMARY KEY (owner, id)
){clustered};
-- Lists of one status in the order of due dates. (The newest first: the primary key, for IDs sort by creation time.)
CREATE INDEX tasks_status_due ON tasks (owner, status, due_or_never, id);
