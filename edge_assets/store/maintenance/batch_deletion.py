"""Deletion of old rows in batches, so that no lock is held for long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import scalar_row

from edge_assets.store.polls import as_of, keyframes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

BATCH_ROWS = 20_000
DELETE_CLOSED_ALERTS = """
WITH closed AS MATERIALIZED (
    SELECT a.id FROM alerts AS a
    WHERE
        a.alert_id = ANY(ARRAY(
            SELECT c.alert_id FROM alerts AS c
            WHERE c.state = 'closed' AND c.observed_at < %(before)s AND c.id < (SELECT max(n.id) FROM alerts AS n)
            LIMIT {batch}
        ))
),

published AS (DELETE FROM alert_publications WHERE id IN (SELECT c.id FROM closed AS c)),

unpublished AS (DELETE FROM alert_outbox WHERE id IN (SELECT c.id FROM closed AS c))

DELETE FROM alerts WHERE id IN (SELECT c.id FROM closed AS c)
"""
"""All steps of alerts that were closed by then, published or not; the newest of all stays, because resume ids are
compared with it."""
DELETE_SUPPRESSIONS = """
DELETE FROM suppressions AS w
WHERE
    w.ctid = ANY(ARRAY(
        SELECT s.ctid FROM suppressions AS s INNER JOIN polls AS p ON s.poll_id = p.id
        WHERE p.observed_at < %(before)s LIMIT {batch}
    ))
"""
DELETE_POLLS = """
WITH old AS MATERIALIZED (
    SELECT p.id FROM polls AS p
    WHERE
        p.import_id IS NULL AND p.observed_at < %(before)s AND p.id <> ALL(%(last_poll_ids)s::bigint[])
        AND NOT EXISTS (SELECT FROM alerts AS a WHERE a.poll_id = p.id)
        AND NOT EXISTS (SELECT FROM alerts AS a WHERE a.tick_poll_id = p.id)
    LIMIT {batch}
),

suppressed AS (DELETE FROM suppressions WHERE poll_id IN (SELECT o.id FROM old AS o)),

quarantined AS (DELETE FROM quarantined_ticks WHERE poll_id IN (SELECT o.id FROM old AS o)),

held_out AS (DELETE FROM held_out_polls WHERE poll_id IN (SELECT o.id FROM old AS o)),

outbox AS (DELETE FROM poll_outbox WHERE poll_id IN (SELECT o.id FROM old AS o)),

priced AS (DELETE FROM pricing.priced_polls WHERE poll_id IN (SELECT o.id FROM old AS o))

DELETE FROM polls WHERE id IN (SELECT o.id FROM old AS o)
"""
"""A batch of polls, with the rows of other tables that refer to them."""
DELETE_KEYFRAMES = """
DELETE FROM keyframes AS k
WHERE
    k.ctid = ANY(ARRAY(
        SELECT o.ctid FROM keyframes AS o
        WHERE
            o.observed_at < %(before)s
            AND NOT EXISTS (
                SELECT FROM polls AS p
                WHERE
                    p.id = ANY(%(last_poll_ids)s::bigint[]) AND p.sport_id = o.sport_id AND p.feed = o.feed
                    AND p.observed_at = o.observed_at
            )
        LIMIT {batch}
    ))
"""
"""A keyframe without the ticks after it would be wrong: quotes withdrawn since would be on offer again."""
DELETE_RESULT_POLLS = "DELETE FROM result_polls WHERE observed_at < %(before)s"
DELETE_UNREADABLE_RESPONSES = "DELETE FROM unreadable_responses WHERE last_received_at < %(before)s"
SELECT_OLD_POLLED_EVENTS = """
SELECT e.id FROM events AS e
WHERE
    e.commence_at < %(before)s AND e.import_id IS NULL
    AND NOT EXISTS (SELECT FROM event_sources AS s WHERE s.event_id = e.id AND s.source <> 'odds-api')
"""
"""Polled games that are in no import."""
SELECT_TABLES_WITH_EVENTS = """
SELECT c.table_schema, c.table_name
FROM information_schema.columns AS c
INNER JOIN information_schema.tables AS t ON c.table_schema = t.table_schema AND c.table_name = t.table_name
WHERE c.table_schema IN ('pricing', 'analytics') AND c.column_name = 'event_id' AND t.table_type = 'BASE TABLE'
ORDER BY 1, 2
"""
SELECT_LAST_POLLS = """
SELECT s.id, last_polls.id AS poll_id
FROM sports AS s
CROSS JOIN LATERAL (
    SELECT p.id FROM polls AS p WHERE p.sport_id = s.id AND p.import_id IS NULL ORDER BY p.observed_at DESC LIMIT 2
) AS last_polls
"""
"""Two a sport: how much a sport moves is measured between them."""
SELECT_NEWEST_KEYFRAME_TIME = "SELECT max(observed_at) FROM keyframes WHERE sport_id = %s"
RESULT_POLL_RETENTION = timedelta(days=400)
"""A year and a month, like credit statements."""


def delete_closed_alerts(conn: Connection, before: datetime) -> dict[str, int]:
    """Delete alerts closed before a moment, and the suppression counts of polls until then."""
    return {
        "alerts": _delete_in_batches(conn, DELETE_CLOSED_ALERTS, before=before),
        "suppression counts": _delete_in_batches(conn, DELETE_SUPPRESSIONS, before=before),
    }


def delete_unreadable_responses(conn: Connection, before: datetime) -> dict[str, int]:
    """Delete unreadable responses that have not recurred since."""
    return {"unreadable responses": conn.execute(DELETE_UNREADABLE_RESPONSES, {"before": before}).rowcount}


def save_current_prices(conn: Connection, before: datetime) -> list[int]:
    """Save the prices on offer as keyframes if their ticks are about to be deleted.

    Returns the last two live polls of each sport, which have to stay.
    """
    last_polls = conn.execute(SELECT_LAST_POLLS).fetchall()
    for sport in {sport for sport, _ in last_polls}:
        last = as_of.find_last_poll(conn, sport)
        with conn.cursor(row_factory=scalar_row) as cursor:
            newest = cursor.execute(SELECT_NEWEST_KEYFRAME_TIME, [sport]).fetchone()
        if last is not None and (newest is None or newest < before):
            keyframes.save_keyframe(conn, last, *as_of.load_last_quotes(conn, sport, last.id))
    return [poll for _, poll in last_polls]


def delete_polls(conn: Connection, before: datetime, last_poll_ids: Sequence[int]) -> dict[str, int]:
    """Delete live polls and keyframes before a moment, up to which no tick is left; polls of alerts are kept."""
    return {
        "polls": _delete_in_batches(conn, DELETE_POLLS, before=before, last_poll_ids=list(last_poll_ids)),
        "keyframes": _delete_in_batches(conn, DELETE_KEYFRAMES, before=before, last_poll_ids=list(last_poll_ids)),
    }


def delete_result_polls(conn: Connection, now: datetime) -> dict[str, int]:
    """Delete result polls older than `RESULT_POLL_RETENTION`."""
    return {"result polls": conn.execute(DELETE_RESULT_POLLS, {"before": now - RESULT_POLL_RETENTION}).rowcount}


def delete_warehouse_events(conn: Connection, before: datetime) -> dict[str, int]:
    """Delete the warehouse's rows of polled games that started before a moment."""
    tables = conn.execute(SELECT_TABLES_WITH_EVENTS).fetchall()
    query = sql.SQL("DELETE FROM {table} WHERE event_id IN ({games})")
    old_events = sql.SQL(SELECT_OLD_POLLED_EVENTS)
    deleted = 0
    for table in tables:
        deleted += conn.execute(
            query.format(table=sql.Identifier(*table), games=old_events), {"before": before}
        ).rowcount
    return {"warehouse rows": deleted}


def _delete_in_batches(conn: Connection, query: str, **values: object) -> int:
    """Repeat a query that deletes at most a batch until nothing is left; return the number of deleted rows."""
    batched = sql.SQL(query).format(batch=sql.Literal(BATCH_ROWS))
    total = 0
    while deleted := conn.execute(batched, values).rowcount:
        total += deleted
    return total
