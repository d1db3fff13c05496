-- Imports append aggregates event by event, and their readers ask for many events: the range of events of each few
-- pages finds them, where a tree of every row took more than half of the time of a COPY and a third of the room.
DROP INDEX aggregate_ticks_event;
CREATE INDEX aggregate_ticks_event ON aggregate_ticks USING brin (event_id) WITH (pages_per_range = 16, autosummarize = on);
