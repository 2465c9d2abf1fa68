-- TRUNCATE names no rows, so it is refused while a bucket of this shard is being copied. FOR SHARE makes a transaction
-- fail and start again whose snapshot is older than the copy's beginning, and the beginning of a copy wait for one that
-- truncates.
CREATE FUNCTION sharding_refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM 1 FROM sharding_owned FOR SHARE;
  IF EXISTS (SELECT 1 FROM sharding_owned WHERE logged = 1) THEN
    RAISE EXCEPTION 'a bucket is being moved: delete the rows, or truncate later';
  END IF;
  RETURN NULL;
END $$;
