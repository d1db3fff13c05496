-- What a free request said of the credits, so that a plan for the month never rests on a guess.
CREATE TABLE credit_statements (
    feed text NOT NULL,
    stated_at timestamptz NOT NULL,
    remaining integer,
    PRIMARY KEY (feed, stated_at)
);

COMMENT ON COLUMN credit_statements.remaining IS 'credits left; NULL: the feed was asked and did not say';
