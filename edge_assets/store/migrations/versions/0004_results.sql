-- Append-only: whatever a source has ever said of a game, each thing once. So the order of writing means nothing, and
-- a source that contradicts another, or itself, overwrites nothing.
CREATE TABLE results (
    event_id integer NOT NULL REFERENCES events,
    observed_at timestamptz NOT NULL,
    source text NOT NULL CHECK (
        source IN ('odds-api', 'espn', 'football-data', 'pinnacle-mlb', 'nfl-bmr', 'odds-ticks')
    ),
    period text NOT NULL CHECK (period IN ('regulation', 'full', 'unstated')),
    status text NOT NULL CHECK (status IN ('final', 'abandoned', 'postponed', 'not_played')),
    home_score smallint CHECK (home_score >= 0),
    away_score smallint CHECK (away_score >= 0),
    UNIQUE NULLS NOT DISTINCT (event_id, source, period, status, home_score, away_score),
    CHECK ((home_score IS NULL) = (away_score IS NULL)),
    CHECK (status <> 'final' OR home_score IS NOT NULL)
);

COMMENT ON COLUMN results.observed_at IS 'when the source first said so';
COMMENT ON COLUMN results.period IS
'what the score counts: regulation; full, the league''s final score with overtime; unstated, one of the two';

-- The word of the first of the sources, and whether another, or its own earlier one, differs. Sources differ if they
-- state two final scores for one period, if one says final and the other abandoned or not played, or if a score of an
-- unstated period is neither that of the regulation nor the full one.
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
        SELECT * FROM results AS r WHERE r.observed_at <= at
    ),
    newest AS (
        SELECT DISTINCT ON (k.event_id, k.period, k.source) k.*
        FROM known AS k
        ORDER BY
            k.event_id, k.period, k.source, k.observed_at DESC, k.status = 'final' DESC, k.home_score, k.away_score
    ),
    score_disputes AS (
        SELECT k.event_id, k.period FROM known AS k WHERE k.status = 'final'
        GROUP BY k.event_id, k.period HAVING count(DISTINCT (k.home_score, k.away_score)) > 1
    ),
    event_disputes AS (
        SELECT n.event_id FROM newest AS n WHERE n.status <> 'postponed'
        GROUP BY n.event_id HAVING count(DISTINCT n.status) > 1
        UNION
        SELECT u.event_id FROM known AS u
        WHERE
            u.period = 'unstated'
            AND EXISTS (
                SELECT FROM known AS s
                WHERE s.event_id = u.event_id AND s.period = 'regulation' AND s.status = 'final'
            )
            AND NOT EXISTS (
                SELECT FROM known AS s
                WHERE
                    s.event_id = u.event_id AND s.period <> 'unstated' AND s.status = 'final'
                    AND (s.home_score, s.away_score) = (u.home_score, u.away_score)
            )
    )
    SELECT DISTINCT ON (n.event_id, n.period)
        n.event_id, n.period, n.status, n.home_score, n.away_score, n.source, n.observed_at,
        d.event_id IS NOT NULL OR e.event_id IS NOT NULL
    FROM newest AS n
    LEFT JOIN score_disputes AS d ON n.event_id = d.event_id AND n.period = d.period
    LEFT JOIN event_disputes AS e ON n.event_id = e.event_id
    ORDER BY
        n.event_id, n.period, n.status = 'postponed',
        array_position(
            ARRAY['odds-api', 'espn', 'football-data', 'pinnacle-mlb', 'nfl-bmr', 'odds-ticks'], n.source
        )
$$;

CREATE VIEW event_results AS SELECT * FROM event_results_at('infinity');
