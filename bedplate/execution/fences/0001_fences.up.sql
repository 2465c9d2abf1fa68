-- The largest token of each lock under which something was written: see bedplate/execution/fence.h.
CREATE TABLE fences (
  name  text      NOT NULL PRIMARY KEY,  -- of the lock
  token {integer} NOT NULL
){strict};
