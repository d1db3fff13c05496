-- Dictionaries: narrow ids for names that come back millions of times.
CREATE TABLE sports (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    title text NOT NULL
);

CREATE TABLE books (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    title text NOT NULL
);

CREATE TABLE markets (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE
);

CREATE TABLE outcomes (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    description text,
    UNIQUE NULLS NOT DISTINCT (name, description)
);

CREATE TABLE events (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    sport_id smallint NOT NULL REFERENCES sports,
    home_team text,
    away_team text,
    commence_at timestamptz NOT NULL,
    original_commence_at timestamptz NOT NULL,
    first_seen_at timestamptz NOT NULL
);

COMMENT ON COLUMN events.key IS 'the id that the feed gives it';

CREATE TABLE event_starts (
    event_id integer NOT NULL REFERENCES events,
    observed_at timestamptz NOT NULL,
    commence_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, observed_at)
);

COMMENT ON TABLE event_starts IS 'every start time that an event has had, with the moment it was stated';

-- One row for every look at a sport, so that "unchanged" and "not looked at" differ.
CREATE TABLE polls (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sport_id smallint NOT NULL REFERENCES sports,
    feed text NOT NULL,
    run_id text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    quotes_seen integer NOT NULL,
    ticks integer NOT NULL,
    withdrawals integer NOT NULL,
    events integer NOT NULL,
    rejected jsonb NOT NULL DEFAULT '{}',
    credits_last integer,
    credits_used integer,
    credits_remaining integer,
    request_ms real NOT NULL,
    body_bytes integer NOT NULL,
    market_times bytea NOT NULL,
    starts bytea NOT NULL,
    published_at timestamptz,
    UNIQUE (sport_id, observed_at)
);

CREATE INDEX polls_unpublished ON polls (sport_id, id) WHERE published_at IS NULL;

COMMENT ON COLUMN polls.observed_at IS 'the feed''s clock: virtual in a replay';
COMMENT ON COLUMN polls.received_at IS 'the wall clock, for latency';
COMMENT ON COLUMN polls.market_times IS
'zstd of ml.quotes.MarketTimes: when each book last confirmed each market it offered at this poll';
COMMENT ON COLUMN polls.starts IS 'zstd of ml.quotes.EventStarts: the events listed at this poll';

CREATE TABLE payloads (
    observed_at timestamptz NOT NULL,
    poll_id bigint NOT NULL,
    body bytea NOT NULL
)/* PARTITIONED */;

COMMENT ON COLUMN payloads.body IS 'the response as received, zstd';

-- A row when a quote changes and when it vanishes. Feed and run are those of its poll.
-- Columns are ordered by width: no padding, 56 bytes of data a row.
CREATE TABLE odds_ticks (
    observed_at timestamptz NOT NULL,
    book_time timestamptz,
    poll_id bigint NOT NULL,
    price double precision,
    event_id integer NOT NULL,
    outcome_id integer NOT NULL,
    point real,
    book_id smallint NOT NULL,
    market_id smallint NOT NULL
)/* PARTITIONED */;

-- the one index: an event's history up to a moment is what every as-of read asks for
CREATE INDEX odds_ticks_event ON odds_ticks (event_id, observed_at);

COMMENT ON COLUMN odds_ticks.price IS 'decimal odds; NULL: withdrawn';

-- Append-only: a row for every step in the life of an alert.
CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL,
    seq integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('value', 'arbitrage')),
    state text NOT NULL CHECK (state IN ('opened', 'updated', 'closed')),
    reason text,
    sport_id smallint NOT NULL REFERENCES sports,
    event_id integer NOT NULL REFERENCES events,
    market_id smallint NOT NULL REFERENCES markets,
    outcome_id integer,
    point real,
    book_id smallint REFERENCES books,
    price double precision,
    fair_probability double precision,
    implied_probability double precision,
    edge double precision,
    expected_value double precision NOT NULL,
    kelly_fraction double precision,
    confidence double precision,
    books smallint NOT NULL,
    price_age_s double precision NOT NULL,
    method_spread double precision,
    legs jsonb,
    observed_at timestamptz NOT NULL,
    poll_id bigint NOT NULL,
    tick_poll_id bigint NOT NULL,
    published_at timestamptz,
    detection_latency_ms double precision,
    UNIQUE (alert_id, seq)
);

CREATE INDEX alerts_unpublished ON alerts (id) WHERE published_at IS NULL;

CREATE TABLE suppressions (
    poll_id bigint NOT NULL,
    reason text NOT NULL,
    n integer NOT NULL,
    PRIMARY KEY (poll_id, reason)
);

COMMENT ON TABLE suppressions IS 'candidates that were withheld, counted when their reason first applied';

CREATE TABLE scorer_progress (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    poll_id bigint NOT NULL,
    observed_at timestamptz NOT NULL
);

-- Who polls a sport. The lease itself is an advisory lock, which dies with its session; this is for the eye.
CREATE TABLE leases (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    run_id text NOT NULL,
    acquired_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    handover_at timestamptz NOT NULL,
    claimed_by text,
    claimed_at timestamptz
);

-- An alert as users get it: one shape for the stream, the WebSocket and REST.
CREATE VIEW alert_messages AS
SELECT
    a.id,
    a.alert_id::text AS alert_id,
    a.seq,
    a.kind,
    a.state,
    a.reason,
    s.key AS sport,
    a.event_id,
    e.key AS event,
    e.home_team,
    e.away_team,
    e.commence_at,
    m.key AS market,
    o.name AS outcome,
    CASE o.name
        WHEN 'home' THEN e.home_team
        WHEN 'away' THEN e.away_team
        ELSE initcap(o.name)
    END AS selection,
    a.point,
    b.key AS book,
    b.title AS book_title,
    a.price,
    a.fair_probability,
    a.implied_probability,
    a.edge,
    a.expected_value,
    a.kelly_fraction,
    a.confidence,
    a.books,
    a.price_age_s,
    a.method_spread,
    a.detection_latency_ms,
    a.observed_at,
    a.published_at,
    a.poll_id,
    a.tick_poll_id,
    p.run_id,
    p.feed,
    p.received_at,
    (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'outcome', lo.name,
                    'selection',
                    CASE lo.name
                        WHEN 'home' THEN e.home_team
                        WHEN 'away' THEN e.away_team
                        ELSE initcap(lo.name)
                    END,
                    'book', lb.key,
                    'book_title', lb.title,
                    'price', leg.price,
                    'stake_fraction', leg.stake_fraction
                )
                ORDER BY leg.outcome_id
            )
        FROM jsonb_to_recordset(a.legs) AS leg (
            outcome_id integer, book_id smallint, price double precision, stake_fraction double precision
        )
        INNER JOIN outcomes AS lo ON leg.outcome_id = lo.id
        INNER JOIN books AS lb ON leg.book_id = lb.id
    ) AS legs
FROM alerts AS a
INNER JOIN sports AS s ON a.sport_id = s.id
INNER JOIN events AS e ON a.event_id = e.id
INNER JOIN markets AS m ON a.market_id = m.id
LEFT JOIN polls AS p ON a.poll_id = p.id
LEFT JOIN outcomes AS o ON a.outcome_id = o.id
LEFT JOIN books AS b ON a.book_id = b.id;
