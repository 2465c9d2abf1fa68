DROP FUNCTION sharding_refuse_truncate() CASCADE;  -- and with it the triggers of the sharded tables
