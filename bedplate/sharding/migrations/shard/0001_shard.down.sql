DROP TABLE sharding_owned;
