-- What this shard owns, by its own word: every command and every read looks here, in its own transaction, before it
-- touches a row of the bucket. See bedplate/sharding/ownership.h. A bucket without a row is not owned.
CREATE TABLE sharding_owned (
  bucket BIGINT NOT NULL PRIMARY KEY,
  epoch  BIGINT NOT NULL,
  state  TEXT   NOT NULL CHECK (state IN ('owned', 'leaving', 'arriving', 'gone')),
  mover  BIGINT NOT NULL
);
