-- Prices that nobody should act on. Their ticks stay where they are with a price of NULL, as if withdrawn: an older
-- price does not come back to life in their place, and a file that is imported again does not bring them back.
CREATE TABLE quarantined_ticks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    observed_at timestamptz NOT NULL,
    book_time timestamptz,
    poll_id bigint NOT NULL,
    price double precision NOT NULL,
    event_id integer NOT NULL REFERENCES events,
    outcome_id integer NOT NULL,
    point real,
    book_id smallint REFERENCES books,
    market_id smallint NOT NULL REFERENCES markets,
    kind text,
    check_name text NOT NULL,
    reason text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    released_at timestamptz,
    released_by text,
    CHECK (num_nonnulls(book_id, kind) = 1),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    UNIQUE NULLS NOT DISTINCT (event_id, observed_at, poll_id, market_id, outcome_id, point, book_id, kind)
);

CREATE INDEX quarantined_ticks_held ON quarantined_ticks (id) WHERE released_at IS NULL;

COMMENT ON COLUMN quarantined_ticks.kind IS 'of aggregate_ticks; NULL: a book''s';
COMMENT ON COLUMN quarantined_ticks.released_at IS 'when a person said that it is right; it is not quarantined again';

ALTER TABLE aggregate_ticks ALTER COLUMN price DROP NOT NULL;

COMMENT ON COLUMN aggregate_ticks.price IS 'decimal odds; NULL: quarantined';
COMMENT ON COLUMN odds_ticks.price IS 'decimal odds; NULL: withdrawn, or quarantined';
