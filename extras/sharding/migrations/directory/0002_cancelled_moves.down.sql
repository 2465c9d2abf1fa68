DROP TABLE sharding_leftovers;
ALTER TABLE sharding_moves DROP COLUMN cancelled;
