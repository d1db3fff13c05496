-- Ticks stay as they were seen: quarantine is a fact beside them, with its own time.
UPDATE odds_ticks AS t SET price = q.price
FROM quarantined_ticks AS q
WHERE
    q.released_at IS NULL AND q.kind IS NULL AND t.price IS NULL
    AND t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
    AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND t.book_id = q.book_id
    AND t.point IS NOT DISTINCT FROM q.point;

UPDATE aggregate_ticks AS t SET price = q.price
FROM quarantined_ticks AS q
WHERE
    q.released_at IS NULL AND t.kind = q.kind AND t.price IS NULL
    AND t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
    AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND t.point IS NOT DISTINCT FROM q.point;

ALTER TABLE aggregate_ticks ALTER COLUMN price SET NOT NULL;

-- they were made without the prices that are back
DELETE FROM keyframes WHERE EXISTS (SELECT FROM quarantined_ticks);

COMMENT ON COLUMN aggregate_ticks.price IS 'decimal odds';
COMMENT ON COLUMN odds_ticks.price IS 'decimal odds; NULL: withdrawn';
COMMENT ON TABLE quarantined_ticks IS
'prices that nobody should act on, from quarantined_at until released_at; the ticks themselves stay as they were seen';

-- A look is of one import, and so is what it brought: taking an import out takes out nothing of another.
ALTER TABLE polls DROP CONSTRAINT polls_look;
ALTER TABLE polls ADD CONSTRAINT polls_look UNIQUE NULLS NOT DISTINCT (sport_id, observed_at, feed, import_id);
CREATE INDEX polls_import ON polls (import_id) WHERE import_id IS NOT NULL;

ALTER TABLE events ADD COLUMN import_id integer REFERENCES imports;
ALTER TABLE results ADD COLUMN import_id integer REFERENCES imports;
ALTER TABLE public_bets ADD COLUMN import_id integer REFERENCES imports;

COMMENT ON COLUMN events.import_id IS 'the import that first told of it; NULL: it was polled';
COMMENT ON COLUMN results.import_id IS 'the import that states it; NULL: it was polled';
COMMENT ON COLUMN public_bets.import_id IS 'the import that states it';

ALTER TABLE results DROP CONSTRAINT results_event_id_source_period_status_home_score_away_score_key;
ALTER TABLE results ADD CONSTRAINT results_word
UNIQUE NULLS NOT DISTINCT (event_id, source, period, status, home_score, away_score, import_id);

ALTER TABLE public_bets DROP CONSTRAINT public_bets_pkey;
ALTER TABLE public_bets ADD CONSTRAINT public_bets_word
UNIQUE NULLS NOT DISTINCT (event_id, market_id, outcome_id, source, observed_at, import_id);

-- A season is named by the year of its beginning.
CREATE FUNCTION season_of(sport text, start_at timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT extract(year FROM (start_at AT TIME ZONE 'utc') - make_interval(months => CASE
        WHEN starts_with(sport, 'americanfootball') THEN 2
        WHEN starts_with(sport, 'basketball') THEN 7
        WHEN starts_with(sport, 'icehockey') THEN 7
        WHEN starts_with(sport, 'soccer') THEN 6
        ELSE 0
    END))::smallint
$$;

-- What the gate suspects, and how far that reaches: whatever fits all columns of the scope that are not NULL is held
-- out of the warehouse as a whole. Rows are never changed but for the two marks of how far the gate has come.
CREATE TABLE quality_findings (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checks text[] NOT NULL CHECK (cardinality(checks) > 0),
    sport_id smallint REFERENCES sports,
    season smallint,
    feed text,
    import_id integer REFERENCES imports,
    book_id smallint REFERENCES books,
    kind text,
    market_id smallint REFERENCES markets,
    blocks boolean NOT NULL DEFAULT false,
    reason text NOT NULL,
    evidence jsonb NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    was_held boolean NOT NULL DEFAULT false,
    CHECK (num_nonnulls(sport_id, import_id) > 0),
    CHECK (num_nonnulls(book_id, kind) < 2),
    CONSTRAINT quality_findings_scope
    UNIQUE NULLS NOT DISTINCT (sport_id, season, feed, import_id, book_id, kind, market_id)
);

COMMENT ON COLUMN quality_findings.kind IS 'of aggregate_ticks, in the place of a book';
COMMENT ON COLUMN quality_findings.blocks IS
'how far it reaches is not known: until it is decided, the warehouse takes in nothing more of the sport or feed';
COMMENT ON COLUMN quality_findings.was_held IS 'whether the warehouse was last built without what it reaches';

CREATE TABLE quality_decisions (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding_id integer NOT NULL REFERENCES quality_findings,
    decision text NOT NULL CHECK (decision IN ('accepted', 'excluded', 'withdrawn', 'resolved', 'open')),
    decided_by text NOT NULL CHECK (decided_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX quality_decisions_finding ON quality_decisions (finding_id, id);

COMMENT ON TABLE quality_decisions IS 'append-only; the last one on a finding is its state';

CREATE FUNCTION refuse_decision_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING message = tg_table_name || ' is never changed: a later decision takes an earlier one''s place';
END
$$;

CREATE TRIGGER quality_decisions_stay BEFORE UPDATE OR DELETE ON quality_decisions
FOR EACH ROW EXECUTE FUNCTION refuse_decision_change();

-- The findings with their state as it was known at a moment. Data is let in only where a person has said that it is
-- right; a finding that blocks holds nothing out while it is open, because nothing of it gets in.
CREATE FUNCTION quality_findings_at(at timestamptz) RETURNS TABLE (
    id integer,
    checks text[],
    sport_id smallint,
    season smallint,
    feed text,
    import_id integer,
    book_id smallint,
    kind text,
    market_id smallint,
    state text,
    decided_by text,
    decision_reason text,
    decided_at timestamptz,
    is_held boolean,
    is_blocking boolean,
    is_whole_import boolean
) LANGUAGE sql STABLE AS $$
    SELECT
        f.id, f.checks, f.sport_id, f.season, f.feed, f.import_id, f.book_id, f.kind, f.market_id,
        coalesce(d.decision, 'open'), d.decided_by, d.reason, d.decided_at,
        coalesce(d.decision, 'open') <> 'accepted' AND NOT (f.blocks AND coalesce(d.decision, 'open') = 'open'),
        f.blocks AND coalesce(d.decision, 'open') = 'open',
        f.import_id IS NOT NULL AND num_nonnulls(f.season, f.book_id, f.kind, f.market_id) = 0
    FROM quality_findings AS f
    LEFT JOIN LATERAL (
        SELECT n.* FROM quality_decisions AS n
        WHERE n.finding_id = f.id AND n.decided_at <= at ORDER BY n.id DESC LIMIT 1
    ) AS d ON true
    WHERE f.found_at <= at
$$;

CREATE VIEW held_out_imports AS
SELECT DISTINCT import_id FROM quality_findings_at('infinity') WHERE is_held AND is_whole_import;

CREATE VIEW blocked_feeds AS
SELECT id AS finding_id, sport_id, feed FROM quality_findings_at('infinity') WHERE is_blocking;

-- The scopes of what is held out, poll by poll, so that a tick finds them by one number. Follows from the findings and
-- the decisions on them, and is brought up to date with each of them and by every pass of the gate.
CREATE TABLE held_out_polls (
    poll_id bigint NOT NULL,
    finding_id integer NOT NULL REFERENCES quality_findings,
    season smallint,
    book_id smallint,
    kind text,
    market_id smallint,
    PRIMARY KEY (poll_id, finding_id)
);

CREATE INDEX held_out_polls_finding ON held_out_polls (finding_id);

-- As seen, without what findings hold out: it is as if that had never been told.
CREATE VIEW admitted_ticks AS
SELECT t.* FROM odds_ticks AS t
WHERE
    NOT EXISTS (
        SELECT FROM held_out_polls AS h
        WHERE
            h.poll_id = t.poll_id AND h.kind IS NULL AND coalesce(h.book_id, t.book_id) = t.book_id
            AND coalesce(h.market_id, t.market_id) = t.market_id
            AND (
                h.season IS NULL
                OR h.season = (
                    SELECT season_of(s.key, e.original_commence_at)
                    FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.id = t.event_id
                )
            )
    );

CREATE VIEW admitted_aggregates AS
SELECT t.* FROM aggregate_ticks AS t
WHERE
    NOT EXISTS (
        SELECT FROM held_out_polls AS h
        WHERE
            h.poll_id = t.poll_id AND h.book_id IS NULL AND coalesce(h.kind, t.kind) = t.kind
            AND coalesce(h.market_id, t.market_id) = t.market_id
            AND (
                h.season IS NULL
                OR h.season = (
                    SELECT season_of(s.key, e.original_commence_at)
                    FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.id = t.event_id
                )
            )
    );

-- And with a price of NULL, as if withdrawn, where a single one is quarantined: an older price does not come back to
-- life in its place.
CREATE VIEW clean_ticks AS
SELECT
    t.observed_at, t.book_time, t.poll_id, CASE WHEN q.id IS NULL THEN t.price END AS price, t.event_id, t.outcome_id,
    t.point, t.book_id, t.market_id
FROM admitted_ticks AS t
LEFT JOIN quarantined_ticks AS q
    ON
        q.released_at IS NULL AND q.kind IS NULL
        AND t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
        AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND t.book_id = q.book_id
        AND t.point IS NOT DISTINCT FROM q.point;

CREATE VIEW clean_aggregates AS
SELECT
    t.observed_at, t.poll_id, CASE WHEN q.id IS NULL THEN t.price END AS price, t.event_id, t.outcome_id, t.point,
    t.market_id, t.kind
FROM admitted_aggregates AS t
LEFT JOIN quarantined_ticks AS q
    ON
        q.released_at IS NULL AND t.kind = q.kind
        AND t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
        AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND t.point IS NOT DISTINCT FROM q.point;

CREATE VIEW admitted_polls AS
SELECT p.* FROM polls AS p
WHERE p.import_id IS NULL OR p.import_id NOT IN (SELECT h.import_id FROM held_out_imports AS h);

CREATE VIEW admitted_results AS
SELECT r.* FROM results AS r
WHERE r.import_id IS NULL OR r.import_id NOT IN (SELECT h.import_id FROM held_out_imports AS h);

CREATE VIEW admitted_public_bets AS
SELECT b.* FROM public_bets AS b
WHERE b.import_id IS NULL OR b.import_id NOT IN (SELECT h.import_id FROM held_out_imports AS h);

-- Events that only imports tell of that are held out: nothing of them counts.
CREATE VIEW held_out_events AS
SELECT e.id AS event_id FROM events AS e
INNER JOIN held_out_imports AS h ON e.import_id = h.import_id
WHERE
    NOT EXISTS (SELECT FROM admitted_ticks AS t WHERE t.event_id = e.id)
    AND NOT EXISTS (SELECT FROM admitted_aggregates AS t WHERE t.event_id = e.id)
    AND NOT EXISTS (SELECT FROM admitted_results AS r WHERE r.event_id = e.id);

-- As before, of the results that are not held out.
CREATE OR REPLACE FUNCTION event_results_at(at timestamptz) RETURNS TABLE (
    event_id integer,
    period text,
    status text,
    home_score smallint,
    away_score smallint,
    source text,
    observed_at timestamptz,
    contradicted boolean
) LANGUAGE sql STABLE AS $$
    WITH known AS (
        SELECT
            r.*,
            r.home_score::integer << 15 | r.away_score AS score,
            r.status IN ('final', 'shortened') AS over,
            CASE r.status WHEN 'shortened' THEN 'final' WHEN 'postponed' THEN NULL ELSE r.status END AS ending
        FROM admitted_results AS r
        WHERE r.observed_at <= at
    ),
    compared AS (
        SELECT
            k.*,
            row_number() OVER (
                PARTITION BY k.event_id, k.period, k.source ORDER BY k.observed_at DESC, k.over DESC, k.score
            ) = 1 AS newest,
            min(k.score) FILTER (WHERE k.over) OVER one_period AS lowest,
            max(k.score) FILTER (WHERE k.over) OVER one_period AS highest,
            array_agg(k.score) FILTER (WHERE k.over AND k.period <> 'unstated') OVER one_event AS stated,
            bool_or(k.over AND k.period = 'regulation') OVER one_event AS regulation_is_known
        FROM known AS k
        WINDOW one_period AS (PARTITION BY k.event_id, k.period), one_event AS (PARTITION BY k.event_id)
    ),
    judged AS (
        SELECT
            c.*,
            coalesce(c.lowest <> c.highest, false)
            OR coalesce(
                min(c.ending) FILTER (WHERE c.newest) OVER one_event
                <> max(c.ending) FILTER (WHERE c.newest) OVER one_event,
                false
            )
            OR bool_or(c.period = 'unstated' AND c.regulation_is_known AND c.score <> ALL(c.stated)) OVER one_event
                AS contradicted
        FROM compared AS c
        WINDOW one_event AS (PARTITION BY c.event_id)
    )
    SELECT DISTINCT ON (j.event_id, j.period)
        j.event_id, j.period, j.status, j.home_score, j.away_score, j.source, j.observed_at, j.contradicted
    FROM judged AS j
    WHERE j.newest
    ORDER BY
        j.event_id, j.period, j.status = 'postponed', j.status = 'shortened' DESC,
        array_position(
            ARRAY['odds-api', 'espn', 'football-data', 'pinnacle-mlb', 'nfl-bmr', 'odds-ticks'], j.source
        )
$$;
