-- Triggers on the sharded tables go first: DROP TRIGGER sharding_changes_<table>_insert, ..._update, ..._delete.
DROP TABLE sharding_changes;
DROP VIEW sharding_readable;
DROP TABLE sharding_owned;
