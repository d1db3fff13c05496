-- Written between the intermediate models and the marts: mathematics that is no SQL. Empty until the first pricing.
CREATE SCHEMA pricing;

-- What has been priced. Whoever wants a poll taken into account anew deletes its row.
CREATE TABLE pricing.priced_polls (poll_id bigint PRIMARY KEY);

CREATE SEQUENCE pricing.versions;

CREATE TABLE pricing.priced_decisions (
    event_id integer NOT NULL,
    moment_id smallint NOT NULL,
    decided_at timestamptz NOT NULL,
    polled_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (event_id, moment_id)
);

COMMENT ON COLUMN pricing.priced_decisions.version IS 'number of the pricing, ascending: marts take what is new to them';

CREATE TABLE pricing.priced_lines (
    event_id integer NOT NULL,
    moment_id smallint NOT NULL,
    market_id smallint NOT NULL,
    line_point real NOT NULL,
    outcome_id integer NOT NULL,
    books smallint NOT NULL,
    fair_probability double precision
);

CREATE INDEX priced_lines_decision ON pricing.priced_lines (event_id, moment_id);

CREATE TABLE pricing.priced_quotes (
    event_id integer NOT NULL,
    moment_id smallint NOT NULL,
    market_id smallint NOT NULL,
    line_point real NOT NULL,
    outcome_id integer NOT NULL,
    book_id smallint NOT NULL,
    confirmed_at timestamptz,
    book_probability double precision
);

CREATE INDEX priced_quotes_decision ON pricing.priced_quotes (event_id, moment_id);

-- A team's state after a game, from the moment its result was first known. Made anew by every pricing.
CREATE TABLE pricing.team_ratings (
    event_id integer NOT NULL,
    outcome_id integer NOT NULL,
    known_at timestamptz NOT NULL,
    games integer NOT NULL,
    elo double precision NOT NULL,
    form double precision NOT NULL,
    home_bias double precision NOT NULL
);

COMMENT ON COLUMN pricing.team_ratings.outcome_id IS 'the side, home or away, that the team played on';

-- Every change of a book's position in a market: its log-odds of the first outcome, points turned into log-odds.
CREATE TABLE pricing.book_moves (
    event_id integer NOT NULL,
    market_id smallint NOT NULL,
    book_id smallint NOT NULL,
    moved_at timestamptz NOT NULL,
    position_before double precision NOT NULL,
    position_after double precision NOT NULL,
    since_look double precision
);

CREATE INDEX book_moves_market ON pricing.book_moves (event_id, market_id, moved_at);

COMMENT ON COLUMN pricing.book_moves.since_look IS 'seconds since the poll before: the move happened within them';

-- What several books' moves amount to: ml.movement.Movement.
CREATE TABLE pricing.movements (
    event_id integer NOT NULL,
    market_id smallint NOT NULL,
    moved_at timestamptz NOT NULL,
    kind smallint NOT NULL,
    direction smallint NOT NULL,
    size double precision NOT NULL
);

CREATE INDEX movements_market ON pricing.movements (event_id, market_id, moved_at);

COMMENT ON COLUMN pricing.movements.kind IS '1 steam, 2 drift, 3 reversal';

CREATE TABLE pricing.clones (
    book_id smallint PRIMARY KEY,
    origin_id smallint NOT NULL
);
