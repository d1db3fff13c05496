-- A file that was imported whole, known again by its content wherever it lies.
CREATE TABLE imports (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    format text NOT NULL,
    path text NOT NULL,
    sha256 bytea NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    rows integer NOT NULL DEFAULT 0,
    events integer NOT NULL DEFAULT 0,
    ticks integer NOT NULL DEFAULT 0,
    aggregates integer NOT NULL DEFAULT 0,
    results integer NOT NULL DEFAULT 0,
    rejected jsonb NOT NULL DEFAULT '{}',
    UNIQUE (format, sha256)
);

COMMENT ON COLUMN imports.finished_at IS 'NULL: it was interrupted, and goes on when it is imported again';

ALTER TABLE polls
ADD COLUMN time_assumed boolean NOT NULL DEFAULT false,
ADD COLUMN import_id integer REFERENCES imports;

COMMENT ON COLUMN polls.time_assumed IS
'the source states no time: observed_at is the one that the format''s reader documents';
COMMENT ON COLUMN polls.import_id IS 'the file it comes from; NULL: it was polled';

-- Two feeds may have looked at the same moment, and a tick reaches its feed through its poll.
ALTER TABLE polls DROP CONSTRAINT polls_sport_id_observed_at_key;
ALTER TABLE polls ADD CONSTRAINT polls_look UNIQUE (sport_id, observed_at, feed);

ALTER TABLE events ADD COLUMN start_assumed boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN events.start_assumed IS 'the source states the day only: a start that is known replaces it';

-- One event is one event, whatever its sources call it.
CREATE TABLE event_sources (
    event_id integer NOT NULL REFERENCES events,
    source text NOT NULL,
    key text NOT NULL,
    PRIMARY KEY (source, key)
);

CREATE INDEX event_sources_event ON event_sources (event_id);
CREATE INDEX events_sport_start ON events (sport_id, commence_at);

INSERT INTO event_sources (event_id, source, key) SELECT id, 'odds-api', key FROM events;

-- What a source says of many books together. No book: nobody offers it as such, and one absurd price makes it.
CREATE TABLE aggregate_ticks (
    observed_at timestamptz NOT NULL,
    poll_id bigint NOT NULL,
    price double precision NOT NULL,
    event_id integer NOT NULL,
    outcome_id integer NOT NULL,
    point real,
    market_id smallint NOT NULL,
    kind text NOT NULL
);

CREATE INDEX aggregate_ticks_event ON aggregate_ticks (event_id, observed_at);

COMMENT ON COLUMN aggregate_ticks.kind IS 'max, avg: over the books that the source watches; opening: its first line';

-- Where the public's money is, as far as a source says so.
CREATE TABLE public_bets (
    event_id integer NOT NULL REFERENCES events,
    market_id smallint NOT NULL REFERENCES markets,
    outcome_id integer NOT NULL,
    source text NOT NULL,
    bets_share real NOT NULL,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, market_id, outcome_id, source, observed_at)
);

COMMENT ON COLUMN public_bets.bets_share IS 'share of the market''s bets on this outcome, 0 to 1';
