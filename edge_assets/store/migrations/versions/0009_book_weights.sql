-- Append-only: whoever prices the past reads what held then. A publication names every measured book of its sport.
CREATE TABLE pricing.book_weights (
    sport_id smallint NOT NULL REFERENCES sports,
    valid_from timestamptz NOT NULL,
    book_id smallint NOT NULL REFERENCES books,
    weight double precision NOT NULL CHECK (weight > 0),
    prior double precision NOT NULL,
    games integer NOT NULL,
    log_loss_gain double precision NOT NULL,
    log_loss_gain_error double precision NOT NULL,
    PRIMARY KEY (sport_id, valid_from, book_id)
);

COMMENT ON COLUMN pricing.book_weights.valid_from IS
'of polls, in the feed''s time; later than every poll of the sport that had been seen when it was published';
COMMENT ON COLUMN pricing.book_weights.prior IS 'what the book counts by convention: books.toml';
