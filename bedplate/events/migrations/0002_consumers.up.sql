-- How far each consumer of events is; see bedplate/events/consumers/consumers.h.
CREATE TABLE event_consumers (
  name     {text} NOT NULL PRIMARY KEY,
  position {integer} NOT NULL
){clustered};
-- Events that a consumer could not handle, and those of the same stream that wait behind them.
CREATE TABLE event_parked (
  consumer {text} NOT NULL,
  position {integer} NOT NULL,
  stream   {text} NOT NULL,
  type     {text} NOT NULL,
  attempts {integer} NOT NULL,
  next_at  {time} NOT NULL,
  error    text NOT NULL,
  PRIMARY KEY (consumer, position)
){clustered};
CREATE INDEX event_parked_streams ON event_parked (consumer, stream, position);
