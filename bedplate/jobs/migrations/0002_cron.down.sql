DROP TABLE job_cron;
