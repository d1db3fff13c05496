-- Which of a sport's days have been watched for moves, by which pricing: who builds on moves takes what is new to it.
CREATE TABLE pricing.watched_days (
    sport_id smallint NOT NULL REFERENCES sports,
    day date NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (sport_id, day)
);

CREATE INDEX book_moves_time ON pricing.book_moves (moved_at);
