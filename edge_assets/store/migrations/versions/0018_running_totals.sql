-- What is asked every second reads what it needs and nothing of the history: the live polls by an index of their own,
-- the open alerts and the outboxes from small tables, the totals as they were kept.

-- Imports are told from live polls without a look at them.
CREATE INDEX polls_live ON polls (sport_id, observed_at) INCLUDE (id) WHERE import_id IS NULL;

-- Live polls that are committed and not known to have reached the stream. A row goes when its poll has; the poll stays
-- as it was written.
CREATE TABLE poll_outbox (
    sport_id smallint NOT NULL REFERENCES sports,
    poll_id bigint NOT NULL,
    PRIMARY KEY (sport_id, poll_id)
);

INSERT INTO poll_outbox (sport_id, poll_id) SELECT sport_id, id FROM polls WHERE published_at IS NULL;

-- What dbt has made on top goes with it, and is made anew by the next build.
DROP VIEW admitted_polls CASCADE;
ALTER TABLE polls DROP COLUMN published_at;

CREATE VIEW admitted_polls AS
SELECT p.* FROM polls AS p
WHERE p.import_id IS NULL OR p.import_id NOT IN (SELECT h.import_id FROM held_out_imports AS h);

-- The same for the steps of alerts, and when each became public.
CREATE TABLE alert_outbox (id bigint PRIMARY KEY);

CREATE TABLE alert_publications (
    id bigint PRIMARY KEY,
    published_at timestamptz NOT NULL,
    detection_latency_ms double precision NOT NULL,
    late_s double precision
);

CREATE INDEX alert_publications_latency ON alert_publications (published_at) INCLUDE (detection_latency_ms);

COMMENT ON TABLE alert_publications IS 'when each step of an alert became public, by the step''s id';
COMMENT ON COLUMN alert_publications.detection_latency_ms IS 'from the payload''s receipt';
COMMENT ON COLUMN alert_publications.late_s IS 'the same in seconds where the step was announced late; NULL: in time';

INSERT INTO alert_outbox (id) SELECT id FROM alerts WHERE published_at IS NULL;

INSERT INTO alert_publications (id, published_at, detection_latency_ms)
SELECT id, published_at, coalesce(detection_latency_ms, 0) FROM alerts WHERE published_at IS NOT NULL;

DO $$
BEGIN
    IF to_regclass('analytics.stg_edge__alerts') IS NOT NULL THEN
        DROP VIEW analytics.stg_edge__alerts CASCADE;
    END IF;
END
$$;

DROP VIEW alert_messages;

ALTER TABLE alerts
DROP COLUMN published_at,
DROP COLUMN detection_latency_ms;

-- The step at which each open alert is.
CREATE TABLE open_alerts (
    alert_id uuid PRIMARY KEY,
    id bigint NOT NULL,
    sport_id smallint NOT NULL REFERENCES sports
) WITH (fillfactor = 50);

COMMENT ON COLUMN open_alerts.id IS 'of the newest step';

INSERT INTO open_alerts (alert_id, id, sport_id)
SELECT alert_id, max(id), min(sport_id) FROM alerts GROUP BY alert_id HAVING NOT bool_or(state = 'closed');

-- Since the database began, whatever has been dropped of it since. Imports count by themselves: their transactions are
-- long, and a live poll must not wait for one.
CREATE TABLE poll_totals (
    sport_id smallint NOT NULL REFERENCES sports,
    is_imported boolean NOT NULL,
    polls bigint NOT NULL,
    quotes_seen bigint NOT NULL,
    ticks bigint NOT NULL,
    withdrawals bigint NOT NULL,
    last_poll_id bigint NOT NULL,
    last_observed_at timestamptz NOT NULL,
    PRIMARY KEY (sport_id, is_imported)
) WITH (fillfactor = 50);

CREATE TABLE rejection_totals (
    sport_id smallint NOT NULL REFERENCES sports,
    is_imported boolean NOT NULL,
    reason text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (sport_id, is_imported, reason)
) WITH (fillfactor = 50);

CREATE TABLE alert_totals (
    sport_id smallint PRIMARY KEY REFERENCES sports,
    opened bigint NOT NULL,
    closed bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE suppression_totals (
    sport_id smallint NOT NULL REFERENCES sports,
    reason text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (sport_id, reason)
) WITH (fillfactor = 50);

CREATE FUNCTION count_polls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO poll_totals AS total (
        sport_id, is_imported, polls, quotes_seen, ticks, withdrawals, last_poll_id, last_observed_at
    )
    SELECT
        sport_id, import_id IS NOT NULL, count(*), sum(quotes_seen), sum(ticks), sum(withdrawals), max(id),
        max(observed_at)
    FROM stored GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (sport_id, is_imported) DO UPDATE SET
        polls = total.polls + excluded.polls,
        quotes_seen = total.quotes_seen + excluded.quotes_seen,
        ticks = total.ticks + excluded.ticks,
        withdrawals = total.withdrawals + excluded.withdrawals,
        last_poll_id = greatest(total.last_poll_id, excluded.last_poll_id),
        last_observed_at = greatest(total.last_observed_at, excluded.last_observed_at);
    INSERT INTO rejection_totals AS total (sport_id, is_imported, reason, n)
    SELECT sport_id, import_id IS NOT NULL, r.key, sum(r.value::bigint)
    FROM stored CROSS JOIN LATERAL jsonb_each_text(rejected) AS r
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (sport_id, is_imported, reason) DO UPDATE SET n = total.n + excluded.n;
    RETURN NULL;
END
$$;

-- An import that goes on adds to the polls that it has stored.
CREATE FUNCTION recount_polls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE poll_totals AS total SET
        quotes_seen = total.quotes_seen + added.quotes_seen,
        ticks = total.ticks + added.ticks,
        withdrawals = total.withdrawals + added.withdrawals
    FROM (
        SELECT
            n.sport_id, n.import_id IS NOT NULL AS is_imported, sum(n.quotes_seen - o.quotes_seen) AS quotes_seen,
            sum(n.ticks - o.ticks) AS ticks, sum(n.withdrawals - o.withdrawals) AS withdrawals
        FROM now_stored AS n INNER JOIN before AS o ON n.id = o.id
        GROUP BY 1, 2
    ) AS added
    WHERE
        total.sport_id = added.sport_id AND total.is_imported = added.is_imported
        AND (added.quotes_seen, added.ticks, added.withdrawals) <> (0, 0, 0);
    RETURN NULL;
END
$$;

CREATE FUNCTION follow_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO alert_outbox (id) SELECT s.id FROM steps AS s;
    INSERT INTO open_alerts AS o (alert_id, id, sport_id)
    SELECT s.alert_id, max(s.id), min(s.sport_id) FROM steps AS s GROUP BY s.alert_id
    ON CONFLICT (alert_id) DO UPDATE SET id = greatest(o.id, excluded.id);
    DELETE FROM open_alerts AS o USING steps AS s WHERE o.alert_id = s.alert_id AND s.state = 'closed';
    INSERT INTO alert_totals AS total (sport_id, opened, closed)
    SELECT
        s.sport_id, count(*) FILTER (WHERE s.state = 'opened'), count(*) FILTER (WHERE s.state = 'closed')
    FROM steps AS s WHERE s.state <> 'updated' GROUP BY 1 ORDER BY 1
    ON CONFLICT (sport_id) DO UPDATE SET
        opened = total.opened + excluded.opened, closed = total.closed + excluded.closed;
    RETURN NULL;
END
$$;

INSERT INTO poll_totals
SELECT
    sport_id, import_id IS NOT NULL, count(*), sum(quotes_seen), sum(ticks), sum(withdrawals), max(id),
    max(observed_at)
FROM polls GROUP BY 1, 2;

INSERT INTO rejection_totals
SELECT p.sport_id, p.import_id IS NOT NULL, r.key, sum(r.value::bigint)
FROM polls AS p CROSS JOIN LATERAL jsonb_each_text(p.rejected) AS r
GROUP BY 1, 2, 3;

INSERT INTO alert_totals
SELECT sport_id, count(*) FILTER (WHERE state = 'opened'), count(*) FILTER (WHERE state = 'closed')
FROM alerts GROUP BY 1;

INSERT INTO suppression_totals
SELECT p.sport_id, s.reason, sum(s.n)
FROM suppressions AS s INNER JOIN polls AS p ON s.poll_id = p.id
GROUP BY 1, 2;

CREATE TRIGGER polls_counted AFTER INSERT ON polls
REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION count_polls();

CREATE TRIGGER polls_recounted AFTER UPDATE ON polls
REFERENCING OLD TABLE AS before NEW TABLE AS now_stored FOR EACH STATEMENT EXECUTE FUNCTION recount_polls();

CREATE TRIGGER alerts_followed AFTER INSERT ON alerts
REFERENCING NEW TABLE AS steps FOR EACH STATEMENT EXECUTE FUNCTION follow_alerts();

-- Events whose sources contradict each other, told anew by whoever changes what is known of results.
CREATE TABLE contradicted_events (event_id integer PRIMARY KEY REFERENCES events);

INSERT INTO contradicted_events (event_id)
SELECT DISTINCT event_id FROM event_results
WHERE
    contradicted AND event_id = ANY(ARRAY(
        SELECT event_id FROM admitted_results GROUP BY event_id
        HAVING count(*) > count(DISTINCT period) OR min(status) <> max(status) OR bool_or(period = 'unstated')
    ));

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
    n.detection_latency_ms,
    n.late_s,
    a.observed_at,
    n.published_at,
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
LEFT JOIN alert_publications AS n ON a.id = n.id
LEFT JOIN outcomes AS o ON a.outcome_id = o.id
LEFT JOIN books AS b ON a.book_id = b.id;
