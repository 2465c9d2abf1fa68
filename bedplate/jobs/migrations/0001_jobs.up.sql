-- Jobs that wait, run, or are dead. What has ended goes to job_history, so this table is as large as the work that is
-- left. (`tenant_id` and not `tenant`: a worker takes jobs of every tenant.)
CREATE TABLE jobs (
  id            {uuid} NOT NULL PRIMARY KEY,  -- in the order of enqueuing
  kind          {text} NOT NULL,
  queue         {text} NOT NULL,
  state         {text} NOT NULL CHECK (state = 'available' OR state = 'running' OR state = 'dead'),
  priority      {integer} NOT NULL,           -- 0 first
  run_at        {time} NOT NULL,
  input         {text} NOT NULL,              -- JSON, the bytes that were enqueued
  act           {uuid},                       -- the user on whose behalf
  tenant_id     {uuid},
  attempt       {integer} NOT NULL,           -- starts that ended in a failure or a crash
  crashes       {integer} NOT NULL,           -- of these, crashes of the process
  fence         {integer} NOT NULL,           -- grows with each claim and each rescue
  worker        {uuid},
  cancel_asked  {bool} NOT NULL,
  unique_key    {text},                       -- emptied when its window ends
  unique_window {text},                       -- 'started' or 'finished'
  error         {text},                       -- of the last attempt
  created_at    {time} NOT NULL,
  started_at    {time}
){strict};
CREATE INDEX jobs_available ON jobs (queue, priority, run_at, id) WHERE state = 'available';
CREATE INDEX jobs_running ON jobs (worker, id) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key IS NOT NULL;

-- Jobs that have ended: done, cancelled.
CREATE TABLE job_history (
  id          {uuid} NOT NULL PRIMARY KEY,
  kind        {text} NOT NULL,
  queue       {text} NOT NULL,
  state       {text} NOT NULL CHECK (state = 'done' OR state = 'cancelled'),
  run_at      {time} NOT NULL,
  act         {uuid},
  attempt     {integer} NOT NULL,
  error       {text},
  created_at  {time} NOT NULL,
  started_at  {time},
  finished_at {time} NOT NULL
){strict};
CREATE INDEX job_history_finished ON job_history (finished_at, id);

-- Processes that run jobs, and when each was last seen.
CREATE TABLE job_workers (
  id   {uuid} NOT NULL PRIMARY KEY,
  host {text} NOT NULL,
  beat {time} NOT NULL
){strict};

CREATE TABLE job_queues (
  queue     {text} NOT NULL PRIMARY KEY,
  paused_at {time} NOT NULL
){strict};
