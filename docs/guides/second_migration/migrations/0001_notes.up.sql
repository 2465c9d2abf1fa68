CREATE TABLE notes (
  id         {uuid} NOT NULL,
  text       {text} NOT NULL,
  created_at {time} NOT NULL,
  PRIMARY KEY (id)
){clustered};
