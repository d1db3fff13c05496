-- A person's word on a game, one row a period; append-only, a later one takes the place of an earlier one. The sources'
-- words stay as they are.
CREATE TABLE result_decisions (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id integer NOT NULL REFERENCES events,
    decided_at timestamptz NOT NULL,
    decided_by text NOT NULL CHECK (decided_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    from_source text,
    period text NOT NULL CHECK (period IN ('regulation', 'full')),
    status text NOT NULL CHECK (status IN ('final', 'shortened', 'abandoned', 'postponed', 'not_played')),
    home_score smallint CHECK (home_score >= 0),
    away_score smallint CHECK (away_score >= 0),
    CHECK ((home_score IS NULL) = (away_score IS NULL)),
    CHECK (status NOT IN ('final', 'shortened') OR home_score IS NOT NULL)
);

CREATE INDEX result_decisions_event ON result_decisions (event_id, decided_at);

COMMENT ON COLUMN result_decisions.from_source IS 'the source whose word was taken; null where the person has stated it';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING message = tg_table_name || ' is append-only: a later row takes the place of an earlier one';
END
$$;

CREATE TRIGGER result_decisions_stay BEFORE UPDATE OR DELETE ON result_decisions
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE VIEW result_moments AS
SELECT event_id, observed_at AS known_at FROM admitted_results
UNION
SELECT event_id, decided_at AS known_at FROM result_decisions;

COMMENT ON VIEW result_moments IS 'When what is known of an event''s result may have changed.';

-- What was known from each of these moments on (0014_judgement.sql).
CREATE VIEW event_results_dated AS
{dated};

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
    SELECT
        r.event_id, r.period, r.status, r.home_score, r.away_score, r.source, r.observed_at, r.contradicted
    FROM (
{at_once}
    ) AS r
$$;

-- How the match result of an event settles by the rules that all books have in common (`ml.settlement`), from when on
-- that was known and until when; written at every build of the warehouse.
CREATE TABLE pricing.settlements (
    event_id integer NOT NULL,
    market_id smallint NOT NULL,
    known_at timestamptz NOT NULL,
    superseded_at timestamptz,
    verdict_id smallint NOT NULL,
    winner_id integer
);

COMMENT ON COLUMN pricing.settlements.verdict_id IS 'number of `ml.settlement.Verdict`';
COMMENT ON COLUMN pricing.settlements.winner_id IS 'the outcome that has won wholly; null also where all stakes come back';

-- A result that is contradicted or decided later changes ratings from then on: rows of one moment have an order, and a
-- team may be left without a game that counts.
TRUNCATE pricing.team_ratings;
ALTER TABLE pricing.team_ratings
ALTER COLUMN form DROP NOT NULL,
ADD COLUMN step integer NOT NULL;

COMMENT ON COLUMN pricing.team_ratings.step IS 'counts the changes of the league''s results; of one moment the last holds';

DROP TABLE IF EXISTS analytics.int_ratings_dated CASCADE;

-- Whether the books of an arbitrage settle alike, as far as their rules are known.
ALTER TABLE alerts ADD COLUMN rules text CHECK (rules IN ('same', 'differ', 'unknown'));
UPDATE alerts SET rules = 'unknown' WHERE kind = 'arbitrage';

COMMENT ON COLUMN alerts.rules IS 'of an arbitrage: same, differ or unknown';

DROP VIEW alert_messages;

-- An alert as users get it: one shape for the stream, the WebSocket and REST.
CREATE VIEW alert_messages AS
SELECT
    a.id,
    a.alert_id::text AS alert_id,
    a.seq,
    a.kind,
    a.state,
    a.reason,
    s.key AS sport,
    a.event_id,
    e.key AS event,
    e.home_team,
    e.away_team,
    e.commence_at,
    m.key AS market,
    o.name AS outcome,
    CASE o.name
        WHEN 'home' THEN e.home_team
        WHEN 'away' THEN e.away_team
        ELSE initcap(o.name)
    END AS selection,
    a.point,
    b.key AS book,
    b.title AS book_title,
    a.price,
    a.fair_probability,
    a.implied_probability,
    a.edge,
    a.standard_error,
    a.expected_value,
    a.expected_value_low,
    a.expected_value_high,
    a.probability_positive,
    a.push_probability,
    a.kelly_fraction,
    a.stake_fraction,
    a.confidence,
    a.books,
    a.price_age_s,
    a.method_spread,
    a.market_width,
    a.hold,
    a.error_probability,
    a.rules,
    a.detection_latency_ms,
    a.observed_at,
    a.published_at,
    a.poll_id,
    a.tick_poll_id,
    p.run_id,
    p.feed,
    p.received_at,
    (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'outcome', lo.name,
                    'selection',
                    CASE lo.name
                        WHEN 'home' THEN e.home_team
                        WHEN 'away' THEN e.away_team
                        ELSE initcap(lo.name)
                    END,
                    'book', lb.key,
                    'book_title', lb.title,
                    'price', leg.price,
                    'stake_fraction', leg.stake_fraction
                )
                ORDER BY leg.outcome_id
            )
        FROM jsonb_to_recordset(a.legs) AS leg (
            outcome_id integer, book_id smallint, price double precision, stake_fraction double precision
        )
        INNER JOIN outcomes AS lo ON leg.outcome_id = lo.id
        INNER JOIN books AS lb ON leg.book_id = lb.id
    ) AS legs
FROM alerts AS a
INNER JOIN sports AS s ON a.sport_id = s.id
INNER JOIN events AS e ON a.event_id = e.id
INNER JOIN markets AS m ON a.market_id = m.id
LEFT JOIN polls AS p ON a.poll_id = p.id
LEFT JOIN outcomes AS o ON a.outcome_id = o.id
LEFT JOIN books AS b ON a.book_id = b.id;
