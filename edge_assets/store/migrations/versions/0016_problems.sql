-- What is wrong at present, as whoever notices it says; a row goes when it is right again.
CREATE TABLE problems (
    kind text NOT NULL,
    subject text NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    times integer NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (kind, subject)
);

COMMENT ON TABLE problems IS
'what is wrong at present: kind, of what (a sport, a service, "" for all), since when, last seen when, how often, detail';

-- Signs of life: a row for each service that works in a loop.
CREATE TABLE heartbeats (
    service text PRIMARY KEY,
    beat_at timestamptz NOT NULL,
    detail jsonb NOT NULL
);

COMMENT ON TABLE heartbeats IS 'when each service last showed that it works (wall clock of the database), and how it fares';
