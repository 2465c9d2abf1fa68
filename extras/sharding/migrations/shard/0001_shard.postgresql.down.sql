DROP FUNCTION sharding_log_change() CASCADE;  -- and with it the triggers of the sharded tables
DROP FUNCTION sharding_row_key(jsonb, text[]);
DROP TABLE sharding_changes;
DROP VIEW sharding_readable;
DROP TABLE sharding_owned;
