-- Who made the same large move before and after, found when the day is watched: NULL for a small move.
ALTER TABLE pricing.book_moves
ADD COLUMN books_before smallint,
ADD COLUMN books_after smallint,
ADD COLUMN leader_id smallint,
ADD COLUMN lag double precision,
ADD COLUMN in_steam boolean NOT NULL DEFAULT false;

ALTER TABLE pricing.book_moves ALTER COLUMN in_steam DROP DEFAULT;

COMMENT ON COLUMN pricing.book_moves.leader_id IS 'who made it first; NULL where two independent books did at once';
COMMENT ON COLUMN pricing.book_moves.lag IS 'seconds behind the first';

-- days are replaced by their time
CREATE INDEX book_moves_time ON pricing.book_moves (moved_at);

-- the watch knows clones, and nobody else asks
DROP TABLE pricing.clones;

-- so that the next build watches every day anew
DELETE FROM pricing.priced_polls;
