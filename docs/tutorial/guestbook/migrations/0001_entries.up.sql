CREATE TABLE entries (
  id        {uuid} NOT NULL PRIMARY KEY,
  name      {text} NOT NULL,
  message   {text} NOT NULL,
  homepage  {text},
  signed_at {time} NOT NULL
){clustered};

CREATE INDEX entries_by_time ON entries (signed_at, id);
