-- Answers that could not be read, as received, so that a person can look at them: one row for each different body.
CREATE TABLE unreadable_answers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sport_id smallint NOT NULL REFERENCES sports,
    feed text NOT NULL,
    run_id text NOT NULL,
    sha256 bytea NOT NULL,
    first_received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1,
    reason text NOT NULL,
    body_bytes bigint NOT NULL,
    body bytea NOT NULL,
    UNIQUE (sport_id, feed, sha256)
);

-- zstd has been there already
ALTER TABLE unreadable_answers ALTER COLUMN body SET STORAGE EXTERNAL;

COMMENT ON TABLE unreadable_answers IS 'answers of the feed that are no list of events; polls and payloads are those that are';
COMMENT ON COLUMN unreadable_answers.run_id IS 'the run that received it last';
COMMENT ON COLUMN unreadable_answers.body_bytes IS 'how long the body was; of a longer one only the beginning is kept';
COMMENT ON COLUMN unreadable_answers.body IS 'zstd of the body''s first bytes, at most store.unreadable.KEPT_BYTES of them';

-- How large each part of the installation was when somebody measured it.
CREATE TABLE size_measurements (
    measured_at timestamptz NOT NULL,
    part text NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (measured_at, part)
);

COMMENT ON TABLE size_measurements IS 'what grows how fast is the difference between two of these';
