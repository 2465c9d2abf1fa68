-- Which shard owns which bucket: the one place where that is decided. See extras/sharding/directory.h.
CREATE TABLE sharding_directory (
  id           BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
  version      BIGINT NOT NULL,   -- grows with every change; a change names the version that it follows
  bucket_count BIGINT NOT NULL
);
CREATE TABLE sharding_shards (
  name    TEXT   NOT NULL PRIMARY KEY,
  leaving BIGINT NOT NULL         -- 1: gives its buckets away and gets no more
);
CREATE TABLE sharding_buckets (
  bucket     BIGINT NOT NULL PRIMARY KEY,
  shard      TEXT   NOT NULL REFERENCES sharding_shards (name),
  epoch      BIGINT NOT NULL,     -- grows with every change of the owner
  mover      BIGINT NOT NULL,     -- grows with every mover that takes the bucket on: a number that fences off the last
  changed_in BIGINT NOT NULL      -- the version that changed the owner
);
CREATE INDEX sharding_buckets_by_change ON sharding_buckets (changed_in);
-- Moves that have begun and not ended.
CREATE TABLE sharding_moves (
  bucket     BIGINT NOT NULL PRIMARY KEY REFERENCES sharding_buckets (bucket),
  source     TEXT   NOT NULL REFERENCES sharding_shards (name),
  target     TEXT   NOT NULL REFERENCES sharding_shards (name),
  epoch      BIGINT NOT NULL,     -- that the bucket will have at the target
  switched   BIGINT NOT NULL,     -- 1: the target owns it; what is left is to tidy up
  touched_us BIGINT NOT NULL      -- when its mover last said that it lives; microseconds UTC
);
