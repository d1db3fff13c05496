-- What stood after a poll, whole, so that reading it back does not begin with the first tick of every event.
-- Frames repeat what the ticks say and may be dropped at any time. By event, for a reader that asks for one of them.
CREATE TABLE keyframes (
    sport_id smallint NOT NULL REFERENCES sports,
    feed text NOT NULL,
    observed_at timestamptz NOT NULL,
    event_id integer NOT NULL,
    quotes bytea NOT NULL,
    PRIMARY KEY (sport_id, feed, observed_at, event_id)
);

-- zstd has been there already
ALTER TABLE keyframes ALTER COLUMN quotes SET STORAGE EXTERNAL;

COMMENT ON TABLE keyframes IS 'the quotes on offer after some of the polls; an event that has none then has no row';
COMMENT ON COLUMN keyframes.quotes IS 'zstd of rows of edge_assets.store.polls.keyframes.STANDING';
