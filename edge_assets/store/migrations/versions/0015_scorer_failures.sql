-- Sports that the scorer cannot score at present; the others go on. A row goes when the sport is scored again.
CREATE TABLE scorer_failures (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    failures integer NOT NULL,
    failing_since timestamptz NOT NULL,
    failed_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    error text NOT NULL
);

COMMENT ON TABLE scorer_failures IS
'sports whose scoring fails: how often in a row, since when, why, and when it is tried again; scorer_progress stays';
