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
  id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bucket      BIGINT NOT NULL,
  row_table   TEXT   NOT NULL,
  row_key     TEXT   NOT NULL
);
CREATE INDEX sharding_changes_by_bucket ON sharding_changes (bucket, id);

-- A row's key as bedplate/sql/transfer/key_text.h writes it. `key` is a column's name, its type, the next name, ...
CREATE FUNCTION sharding_row_key(row_values jsonb, key text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text := '';
  value  text;
BEGIN
  FOR i IN 1 .. array_length(key, 1) BY 2 LOOP
    value := row_values ->> key[i];
    result := result || CASE WHEN i > 1 THEN '|' ELSE '' END || CASE key[i + 1]
      WHEN 'integer' THEN 'i' || value
      WHEN 'boolean' THEN 'i' || value::boolean::integer
      WHEN 'time'    THEN 'i' || (extract(epoch FROM value::timestamptz) * 1000000)::bigint
      WHEN 'uuid'    THEN 'b' || replace(value, '-', '')
      WHEN 'blob'    THEN 'b' || encode(value::bytea, 'hex')
      ELSE 't' || encode(convert_to(value, 'UTF8'), 'hex')
    END;
  END LOOP;
  RETURN result;
END $$;

-- The trigger of a sharded table: its arguments are the table's name and then its key, as above.
CREATE FUNCTION sharding_log_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  old_key text;
  new_key text;
BEGIN
  IF TG_OP <> 'INSERT' AND EXISTS (SELECT 1 FROM sharding_owned WHERE bucket = OLD.bucket AND logged = 1) THEN
    old_key := sharding_row_key(to_jsonb(OLD), TG_ARGV[1:]);
    INSERT INTO sharding_changes (bucket, row_table, row_key) VALUES (OLD.bucket, TG_ARGV[0], old_key);
  END IF;
  IF TG_OP <> 'DELETE' AND EXISTS (SELECT 1 FROM sharding_owned WHERE bucket = NEW.bucket AND logged = 1) THEN
    new_key := sharding_row_key(to_jsonb(NEW), TG_ARGV[1:]);
    IF new_key IS DISTINCT FROM old_key OR NEW.bucket <> OLD.bucket THEN
      INSERT INTO sharding_changes (bucket, row_table, row_key) VALUES (NEW.bucket, TG_ARGV[0], new_key);
    END IF;
  END IF;
  RETURN NULL;
END $$;
