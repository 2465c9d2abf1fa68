-- The log of events; see bedplate/events/event_log.h.
CREATE TABLE events (
  entry    {identity},            -- in the order of the inserts
  position {integer} UNIQUE,      -- in the order of the log; NULL: committed, and not yet numbered (PostgreSQL)
  id       {uuid} NOT NULL UNIQUE,
  stream   {text} NOT NULL,
  version  {integer} NOT NULL,
  type     {text} NOT NULL,
  at       {time} NOT NULL,
  data     text NOT NULL,         -- JSON
  UNIQUE (stream, version)
){strict};
CREATE INDEX events_unnumbered ON events (entry) WHERE position IS NULL;
-- How far each stream is, also when its events are gone.
CREATE TABLE event_streams (
  stream  {text} NOT NULL PRIMARY KEY,
  version {integer} NOT NULL
){clustered};
-- At most one row: the last position given, and the last one that retention deleted.
CREATE TABLE event_state (
  id            {integer} NOT NULL PRIMARY KEY,
  last_position {integer} NOT NULL,
  deleted_to    {integer} NOT NULL
){strict};
