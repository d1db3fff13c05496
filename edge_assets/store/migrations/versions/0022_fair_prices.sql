-- The fair prices of all lines of a sport, as of the scorer's last step: what its alerts were valued with.
-- Unlogged: written after every poll, and again when the scorer starts, so nothing is lost with it.
CREATE UNLOGGED TABLE fair_prices (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    poll_id bigint NOT NULL,
    valued_at timestamptz NOT NULL,
    prices bytea NOT NULL,
    outlying_books bytea NOT NULL
);

-- compressed already
ALTER TABLE fair_prices ALTER COLUMN prices SET STORAGE EXTERNAL, ALTER COLUMN outlying_books SET STORAGE EXTERNAL;

COMMENT ON TABLE fair_prices IS 'the scorer''s fair prices by sport; none while it has not scored a poll of it';
COMMENT ON COLUMN fair_prices.poll_id IS 'the newest poll that they take account of';
COMMENT ON COLUMN fair_prices.valued_at IS 'the feed''s clock';
COMMENT ON COLUMN fair_prices.prices IS 'zstd of ml.scoring.fair_prices.FairPriceBatch';
COMMENT ON COLUMN fair_prices.outlying_books IS 'zstd of ml.scoring.fair_prices.OutlyingBookBatch';
