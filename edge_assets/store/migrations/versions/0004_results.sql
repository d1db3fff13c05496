-- Append-only: whatever a source has ever said of a game, each thing once. So the order of writing means nothing, and
-- a source that contradicts another, or itself, overwrites nothing.
CREATE TABLE results (
    event_id integer NOT NULL REFERENCES events,
    observed_at timestamptz NOT NULL,
    source text NOT NULL CHECK (
        source IN ('odds-api', 'espn', 'football-data', 'pinnacle-mlb', 'nfl-bmr', 'odds-ticks')
    ),
    period text NOT NULL CHECK (period IN ('regulation', 'full', 'unstated')),
    status text NOT NULL CHECK (status IN ('final', 'shortened', 'abandoned', 'postponed', 'not_played')),
    home_score smallint CHECK (home_score >= 0),
    away_score smallint CHECK (away_score >= 0),
    UNIQUE NULLS NOT DISTINCT (event_id, source, period, status, home_score, away_score),
    CHECK ((home_score IS NULL) = (away_score IS NULL)),
    CHECK (status NOT IN ('final', 'shortened') OR home_score IS NOT NULL)
);

COMMENT ON COLUMN results.observed_at IS 'when the source first said so';
COMMENT ON COLUMN results.period IS
'what the score counts: regulation; full, the league''s final score with overtime; unstated, one of the two';

-- The word of the first of the sources, and whether another, or its own earlier one, differs. Sources differ if they
-- state two final scores for one period, if one says final and the other abandoned or not played, or if a score of an
-- unstated period is neither that of the regulation nor the full one. Every window is an event's, so that a condition
-- on event_id reaches the index: one event takes 0.3 ms where 62,000 have results.
CREATE FUNCTION event_results_at(at timestamptz) RETURNS TABLE (
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
        FROM results AS r
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

CREATE VIEW event_results AS SELECT * FROM event_results_at('infinity');

-- One row for every time that a source was asked for results, so that "no result" and "not asked" differ.
CREATE TABLE result_looks (
    sport_id smallint NOT NULL REFERENCES sports,
    source text NOT NULL,
    observed_at timestamptz NOT NULL,
    run_id text NOT NULL,
    games integer NOT NULL,
    new integer NOT NULL,
    contradicted_events integer NOT NULL,
    rejected jsonb NOT NULL DEFAULT '{}',
    failure text,
    credits_last integer,
    PRIMARY KEY (sport_id, source, observed_at)
);

COMMENT ON COLUMN result_looks.games IS 'finished games of events that are known here';
COMMENT ON COLUMN result_looks.rejected IS 'finished games that were not used, by reason';
