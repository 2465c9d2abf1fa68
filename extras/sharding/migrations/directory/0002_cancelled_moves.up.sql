-- A move that is undone, and what one that was undone has left at its target. See extras/sharding/mover.h.
ALTER TABLE sharding_moves ADD COLUMN cancelled BIGINT NOT NULL DEFAULT 0;  -- 1: the source keeps the bucket
CREATE TABLE sharding_leftovers (
  bucket BIGINT NOT NULL REFERENCES sharding_buckets (bucket),
  target TEXT   NOT NULL REFERENCES sharding_shards (name),
  source TEXT   NOT NULL,
  epoch  BIGINT NOT NULL,          -- that the bucket would have had there
  mover  BIGINT NOT NULL,          -- who cancelled: whoever writes there with a smaller number is refused
  PRIMARY KEY (bucket, target)
);
