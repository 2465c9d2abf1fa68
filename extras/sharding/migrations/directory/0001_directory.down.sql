DROP TABLE sharding_moves;
DROP TABLE sharding_buckets;
DROP TABLE sharding_shards;
DROP TABLE sharding_directory;
