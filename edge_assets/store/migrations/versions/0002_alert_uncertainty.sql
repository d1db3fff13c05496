-- What an alert says of its own uncertainty, and the likely errors that are told apart from value.
ALTER TABLE alerts
DROP CONSTRAINT alerts_kind_check,
ADD CONSTRAINT alerts_kind_check CHECK (kind IN ('value', 'arbitrage', 'likely_error')),
ADD COLUMN standard_error double precision,
ADD COLUMN expected_value_low double precision,
ADD COLUMN expected_value_high double precision,
ADD COLUMN probability_positive double precision,
ADD COLUMN push_probability double precision,
ADD COLUMN stake_fraction double precision,
ADD COLUMN market_width double precision,
ADD COLUMN hold double precision,
ADD COLUMN error_probability double precision;

COMMENT ON COLUMN alerts.implied_probability IS '1 / price, after an exchange''s commission';
COMMENT ON COLUMN alerts.standard_error IS 'of fair_probability';

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
