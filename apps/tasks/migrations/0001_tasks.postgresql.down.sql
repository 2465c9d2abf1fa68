DROP TABLE tasks_search;
DROP TABLE tasks;
