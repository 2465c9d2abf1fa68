-- How far each cron job is: the occurrence that was enqueued last.
CREATE TABLE job_cron (
  name    {text} NOT NULL PRIMARY KEY,  -- of the job: "tasks.digest"
  last_at {time} NOT NULL
){clustered};
