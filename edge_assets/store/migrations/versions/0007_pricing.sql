-- Written between the intermediate models and the marts: mathematics that is no SQL. Empty until the first pricing.
CREATE SCHEMA pricing;

-- What has been priced. Whoever wants a poll taken into account anew deletes its row.
CREATE TABLE pricing.priced_polls (poll_id bigint PRIMARY KEY);

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
