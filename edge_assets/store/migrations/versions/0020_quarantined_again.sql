-- What the gate has released, because by what was known later it was sound, can be quarantined again in a row of its
-- own. What a person has released cannot.
DO $$
DECLARE
    old text;
BEGIN
    SELECT conname INTO STRICT old FROM pg_constraint
    WHERE conrelid = 'quarantined_ticks'::regclass AND contype = 'u';
    EXECUTE 'ALTER TABLE quarantined_ticks DROP CONSTRAINT ' || quote_ident(old);
END
$$;

CREATE UNIQUE INDEX quarantined_ticks_once
ON quarantined_ticks (event_id, observed_at, poll_id, market_id, outcome_id, point, book_id, kind)
NULLS NOT DISTINCT WHERE released_by IS DISTINCT FROM 'quality gate';

CREATE INDEX quarantined_ticks_event ON quarantined_ticks (event_id, observed_at, poll_id);

COMMENT ON COLUMN quarantined_ticks.released_at IS
'from when on it counts again; what a person has released is not quarantined again, what the gate has may be';
