"""Queries for the expectations: polls and imports of the last week, with recent events and results.

Texts are HTML-escaped, because Great Expectations inserts unexpected rows into its pages unescaped.
"""

from __future__ import annotations


def _escape_html(column: str) -> str:
    """A SQL expression that escapes a text column for HTML; distinct texts stay distinct."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("''", "&#39;")):
        column = f"replace({column}, '{sign}', '{entity}')"
    return column


SELECT_RECENT_TICKS = """
SELECT
    t.observed_at, t.price, t.point, t.event_id, t.book_id, t.market_id, t.outcome_id, t.poll_id,
    e.id AS known_event, b.id AS known_book, o.id AS known_outcome, p.observed_at AS polled_at,
    extract(epoch FROM t.book_time - t.observed_at) AS book_ahead_seconds
FROM clean_ticks AS t
INNER JOIN polls AS p ON t.poll_id = p.id
LEFT JOIN events AS e ON t.event_id = e.id
LEFT JOIN books AS b ON t.book_id = b.id
LEFT JOIN outcomes AS o ON t.outcome_id = o.id
WHERE
    p.received_at > now() - interval '7 days'
    AND t.observed_at >= (SELECT min(r.observed_at) FROM polls AS r WHERE r.received_at > now() - interval '7 days')
"""
SELECT_RECENT_EVENTS = f"""
SELECT
    e.id, {_escape_html("e.key")} AS key, {_escape_html("s.key")} AS sport, {_escape_html("e.home_team")} AS home_team,
    {_escape_html("e.away_team")} AS away_team, e.commence_at, e.original_commence_at, e.first_seen_at,
    (SELECT count(*) FROM event_sources AS n WHERE n.event_id = e.id) AS names,
    (SELECT count(*) FROM event_starts AS n WHERE n.event_id = e.id) AS starts
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id
WHERE e.commence_at > (SELECT max(c.commence_at) FROM events AS c WHERE c.sport_id = e.sport_id) - interval '30 days'
"""
SELECT_RECENT_RESULTS = """
SELECT
    r.event_id, r.observed_at, r.source, r.period, r.status, r.home_score, r.away_score,
    extract(epoch FROM r.observed_at - e.commence_at) AS known_after_seconds
FROM results AS r INNER JOIN events AS e ON r.event_id = e.id
WHERE r.observed_at > (SELECT max(n.observed_at) FROM results AS n) - interval '30 days'
"""
