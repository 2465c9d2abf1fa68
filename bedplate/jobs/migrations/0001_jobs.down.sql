DROP TABLE job_queues;
DROP TABLE job_workers;
DROP TABLE job_history;
DROP TABLE jobs;
