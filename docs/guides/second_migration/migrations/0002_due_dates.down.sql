DROP INDEX notes_by_due_date;
ALTER TABLE notes DROP COLUMN color;
ALTER TABLE notes DROP COLUMN due_at;
