DROP TABLE event_state;
DROP TABLE event_streams;
DROP TABLE events;
