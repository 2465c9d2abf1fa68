ALTER TABLE notes ADD COLUMN due_at {time};
ALTER TABLE notes ADD COLUMN color {text} NOT NULL DEFAULT 'yellow';
CREATE INDEX notes_by_due_date ON notes (due_at, id);
