-- What this shard owns, by its own word: every command and every read looks here, in its own transaction, before it
-- touches a row of the bucket. See extras/sharding/ownership.h. A bucket without a row is not owned.
CREATE TABLE sharding_owned (
  bucket BIGINT NOT NULL PRIMARY KEY,
  epoch  BIGINT NOT NULL,
  state  TEXT   NOT NULL CHECK (state IN ('owned', 'leaving', 'arriving', 'gone')),
  mover  BIGINT NOT NULL,
  logged BIGINT NOT NULL DEFAULT 0  -- 1: the bucket is being copied, and changes of its rows are written down
);
-- The buckets whose rows count here. For reads over all shards: ... WHERE bucket IN (SELECT bucket FROM sharding_readable)
CREATE VIEW sharding_readable AS SELECT bucket FROM sharding_owned WHERE state IN ('owned', 'leaving');
-- Which rows of buckets that are being copied have changed. See extras/sharding/change_log.h; triggers on the sharded tables write it.
CREATE TABLE sharding_changes (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket      BIGINT NOT NULL,
  row_table   TEXT   NOT NULL,
  row_key     TEXT   NOT NULL
);
CREATE INDEX sharding_changes_by_bucket ON sharding_changes (bucket, id);
