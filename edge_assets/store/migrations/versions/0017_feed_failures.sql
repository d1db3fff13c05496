-- Sports whose polls fail at present. A row goes when a poll of the sport succeeds.
CREATE TABLE feed_failures (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    failures integer NOT NULL,
    failing_since timestamptz NOT NULL,
    failed_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    kind text NOT NULL,
    error text NOT NULL
);

COMMENT ON TABLE feed_failures IS
'sports whose polls fail: how often in a row, since when, why, and before when no burst asks again';

-- What an answer that could not be stored cost, and for which sport it was asked.
ALTER TABLE credit_statements ADD COLUMN sport_id smallint REFERENCES sports;
ALTER TABLE credit_statements ADD COLUMN spent integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN credit_statements.spent IS
'credits that the answers cost with which it came: 0 for a free request, else those of a poll that failed';
