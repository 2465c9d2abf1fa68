DROP TABLE event_parked;
DROP TABLE event_consumers;
