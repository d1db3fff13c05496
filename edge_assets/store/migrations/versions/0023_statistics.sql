-- Append-only like results: whatever a source has ever stated, each statement once, with the earliest moment of it.
CREATE TABLE event_statistics (
    observed_at timestamptz NOT NULL,
    event_id integer NOT NULL REFERENCES events,
    import_id integer REFERENCES imports,
    statistic_id smallint NOT NULL,
    home smallint NOT NULL CHECK (home >= 0),
    away smallint NOT NULL CHECK (away >= 0),
    source text NOT NULL CHECK (source IN ('espn', 'football-data')),
    CONSTRAINT event_statistics_statement
    UNIQUE NULLS NOT DISTINCT (event_id, statistic_id, home, away, source, import_id)
);

COMMENT ON TABLE event_statistics IS 'shots, corners, cards... of both teams, as each source states them';
COMMENT ON COLUMN event_statistics.observed_at IS 'when the source first stated it';
COMMENT ON COLUMN event_statistics.import_id IS 'the import that states it; NULL: it was polled';
COMMENT ON COLUMN event_statistics.statistic_id IS
'1 shots, 2 shots on target, 3 corners, 4 fouls, 5 yellow cards, 6 red cards, 7 goals until half-time
(`ml.game_statistics.Statistic`)';

CREATE VIEW admitted_event_statistics AS
SELECT s.* FROM event_statistics AS s
WHERE s.import_id IS NULL OR s.import_id NOT IN (SELECT h.import_id FROM held_out_imports AS h);

ALTER TABLE imports ADD COLUMN statistics integer NOT NULL DEFAULT 0;

-- Files that were imported before have statistics that were not read: the next import reads these files again.
UPDATE imports SET finished_at = NULL
WHERE format = 'football-data' AND id NOT IN (SELECT h.import_id FROM held_out_imports AS h);
