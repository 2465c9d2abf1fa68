DROP TABLE tasks_search_words;
DROP TABLE tasks_search;
DROP TABLE tasks;
