-- What was known of results at some `moments`, one row an event, moment and period: the last decision, or the word of
-- the first of the sources, and whether another, or its own earlier one, differs. Sources differ if they state two final
-- scores for one period, if one says final and the other abandoned or not played, or if a score of an unstated period is
-- neither that of the regulation nor the full one. A decision settles its period whatever sources say, before or later,
-- and makes a score of an unstated period irrelevant. Every window is an event's, so that a condition on event_id
-- reaches the index.
WITH known AS (
    SELECT
        m.known_at,
        r.*,
        r.home_score::integer << 15 | r.away_score AS score,
        r.status IN ('final', 'shortened') AS over,
        CASE r.status WHEN 'shortened' THEN 'final' WHEN 'postponed' THEN NULL ELSE r.status END AS ending
    FROM {moments} AS m
    INNER JOIN admitted_results AS r ON {of_results} m.known_at >= r.observed_at
),

compared AS (
    SELECT
        k.*,
        row_number() OVER (
            PARTITION BY k.event_id, k.known_at, k.period, k.source ORDER BY k.observed_at DESC, k.over DESC, k.score
        ) = 1 AS newest,
        min(k.score) FILTER (WHERE k.over) OVER one_period AS lowest,
        max(k.score) FILTER (WHERE k.over) OVER one_period AS highest,
        array_agg(k.score) FILTER (WHERE k.over AND k.period <> 'unstated') OVER one_event AS stated,
        bool_or(k.over AND k.period = 'regulation') OVER one_event AS regulation_is_known
    FROM known AS k
    WINDOW
        one_period AS (PARTITION BY k.event_id, k.known_at, k.period),
        one_event AS (PARTITION BY k.event_id, k.known_at)
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
    WINDOW one_event AS (PARTITION BY c.event_id, c.known_at)
),

sourced AS (
    SELECT DISTINCT ON (j.event_id, j.known_at, j.period) j.*
    FROM judged AS j
    WHERE j.newest
    ORDER BY
        j.event_id, j.known_at, j.period, j.status = 'postponed', j.status = 'shortened' DESC,
        array_position(
            ARRAY['odds-api', 'espn', 'football-data', 'pinnacle-mlb', 'nfl-bmr', 'odds-ticks'], j.source
        )
),

decided AS (
    SELECT DISTINCT ON (d.event_id, m.known_at, d.period) m.known_at, d.*
    FROM {moments} AS m
    INNER JOIN result_decisions AS d ON {of_decisions} m.known_at >= d.decided_at
    ORDER BY d.event_id, m.known_at, d.period, d.decided_at DESC, d.id DESC
)

SELECT
    s.event_id, s.known_at, s.period, s.status, s.home_score, s.away_score, s.source, s.observed_at, s.contradicted
FROM sourced AS s
WHERE NOT EXISTS (
    SELECT FROM decided AS d
    WHERE d.event_id = s.event_id AND d.known_at = s.known_at AND s.period IN (d.period, 'unstated')
)
UNION ALL
SELECT
    d.event_id, d.known_at, d.period, d.status, d.home_score, d.away_score, 'decision', d.decided_at, false
FROM decided AS d
