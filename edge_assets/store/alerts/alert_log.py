"""Alerts in the database: appended by the scorer, read as messages by everything else.

A message is a row of the view `alert_messages` as JSON: identical for the stream, a resumed WebSocket and REST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from edge_assets.core.clock import to_datetime, to_micros
from ml.scoring.alerts import Alert, AlertKey, AlertMetrics, Leg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

KEY_COLUMNS = ("kind", "event_id", "market_id", "point", "outcome_id", "book_id")
METRIC_COLUMNS = tuple(name for name in AlertMetrics.__struct_fields__ if name != "legs")
"""Of `ml.scoring.AlertMetrics`, which declares them."""
STATE_COLUMNS = ("alert_id", "seq", "state", "reason", "observed_at", "poll_id", "tick_poll_id")
ALERT_COLUMNS = ("sport_id", *STATE_COLUMNS, *KEY_COLUMNS, *METRIC_COLUMNS, "legs")
METRIC_TYPES = {float: "double precision", int: "bigint", str: "text"}
_INTEGER_COLUMNS = ("sport_id", "seq", "poll_id", "tick_poll_id", "event_id", "market_id", "outcome_id", "book_id")
COLUMN_TYPES = {"alert_id": "uuid", "observed_at": "timestamptz", "point": "double precision", "legs": "jsonb"}
COLUMN_TYPES |= dict.fromkeys(("kind", "state", "reason"), "text") | dict.fromkeys(_INTEGER_COLUMNS, "bigint")
COLUMN_TYPES |= {
    name: next(METRIC_TYPES[kind] for kind in (get_args(hint) or (hint,)) if kind in METRIC_TYPES)
    for name, hint in get_type_hints(AlertMetrics).items()
    if name in METRIC_COLUMNS
}
ARRAY_PARAMETERS = ", ".join(f"%s::{COLUMN_TYPES[column]}[]" for column in ALERT_COLUMNS)
INSERT_ALERTS = f"""
INSERT INTO alerts ({", ".join(ALERT_COLUMNS)}) SELECT * FROM unnest({ARRAY_PARAMETERS}) ON CONFLICT (alert_id, seq) DO
NOTHING
"""
"""In order. A trigger, run once per statement, updates `open_alerts`, `alert_outbox` and `alert_totals`."""
UPSERT_POLL_SUPPRESSIONS = """
INSERT INTO suppressions (poll_id, reason, n) VALUES (%(poll)s, %(reason)s, %(n)s)
ON CONFLICT (poll_id, reason) DO UPDATE SET n = suppressions.n + excluded.n
"""
UPSERT_SUPPRESSION_TOTALS = """
INSERT INTO suppression_totals (sport_id, reason, n) VALUES (%(sport)s, %(reason)s, %(n)s)
ON CONFLICT (sport_id, reason) DO UPDATE SET n = suppression_totals.n + excluded.n
"""
ALERT_ORDER_LOCK_SPACE = 0x0ED70
MAX_ALERTS_PER_BATCH = 500
"""Alert steps to publish in one batch."""
INSERT_ALERT_PUBLICATIONS = """
INSERT INTO alert_publications (id, published_at, detection_latency_ms, late_s)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::double precision[], %s::double precision[])
ON CONFLICT (id) DO NOTHING
"""
# Ids are passed as arrays below, so that the planner finds each one by index instead of hashing the whole history.


class AlertPublication(NamedTuple):
    """When an alert step was published, and how long after its payload was received.

    `late_s` is that delay in seconds if it exceeds `LATE_AFTER_SECONDS` (`streams`), else None.
    """

    id: int
    published_at: datetime
    detection_latency_ms: float
    late_s: float | None


class ScorerProgress(NamedTuple):
    """The last poll that the scorer has finished for a sport."""

    poll_id: int
    observed_at: datetime


def commit_scoring_step(
    conn: Connection,
    sport_id: int,
    poll_id: int,
    observed_at: Micros,
    alerts: Sequence[Alert],
    suppressed: Mapping[str, int],
    *,
    has_other_writers: bool = False,
) -> None:
    """Make a step of the scorer durable: its alerts, its counts and how far it has come, or nothing.

    Where it `has_other_writers` they take turns, so that alerts commit in the order of their ids: readers resume by id.
    """
    with conn.transaction(), conn.cursor() as cursor:
        if alerts and has_other_writers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [ALERT_ORDER_LOCK_SPACE])
        if alerts:
            cursor.execute(INSERT_ALERTS, _transpose([_row_from_alert(sport_id, alert) for alert in alerts]))
        if suppressed:
            counts = [{"poll": poll_id, "sport": sport_id, "reason": r, "n": n} for r, n in suppressed.items()]
            cursor.executemany(UPSERT_POLL_SUPPRESSIONS, counts)
            cursor.executemany(UPSERT_SUPPRESSION_TOTALS, counts)
        cursor.execute(
            "INSERT INTO scorer_progress (sport_id, poll_id, observed_at) VALUES (%s, %s, %s) "
            "ON CONFLICT (sport_id) DO UPDATE "
            "SET poll_id = excluded.poll_id, observed_at = excluded.observed_at",
            [sport_id, poll_id, to_datetime(observed_at)],
        )


def load_scorer_progress(conn: Connection) -> dict[int, ScorerProgress]:
    """The scorer's progress by sport."""
    rows = conn.execute("SELECT sport_id, poll_id, observed_at FROM scorer_progress")
    return {sport_id: ScorerProgress(poll_id, at) for sport_id, poll_id, at in rows}


def load_open_alerts(conn: Connection, sport_id: int) -> list[Alert]:
    """The last step of every open alert of a sport, as the scorer wrote it."""
    columns = ", ".join((*STATE_COLUMNS, *KEY_COLUMNS, *METRIC_COLUMNS, "legs"))
    newest = "ARRAY(SELECT id FROM open_alerts WHERE sport_id = %s)"
    rows = conn.execute(f"SELECT {columns} FROM alerts WHERE id = ANY({newest})", [sport_id])
    return [_alert_from_row(row) for row in rows]


def load_open_alert_messages(conn: Connection, kind: str, sport: str | None = None) -> list[dict[str, Any]]:
    """The open alerts of a kind as messages, the highest expected value first."""
    query = f"""
    SELECT {_message_expression("m")} FROM alert_messages AS m
    WHERE id = ANY(ARRAY(SELECT id FROM open_alerts)) AND kind = %s AND (sport = %s OR %s::text IS NULL)
    ORDER BY expected_value DESC, id
    """
    return _fetch_messages(conn, query, [kind, sport, sport])


def load_messages_since(conn: Connection, alert_id: int, limit: int) -> list[dict[str, Any]]:
    """Messages with an id above `alert_id`, ascending, whether published to Redis or not.

    Restricting a resume to published alerts would skip those in the stream that are not yet marked.
    """
    query = f"""
    SELECT {_message_expression("m")} FROM alert_messages AS m
    WHERE id = ANY(ARRAY(SELECT id FROM alerts WHERE id > %s ORDER BY id LIMIT %s)) ORDER BY id
    """
    return _fetch_messages(conn, query, [alert_id, limit])


def load_unpublished_messages(conn: Connection) -> list[dict[str, Any]]:
    """The oldest unpublished messages, up to `MAX_ALERTS_PER_BATCH`, each with its `received_at`."""
    query = """
    SELECT to_jsonb(m) FROM alert_messages AS m
    WHERE id = ANY(ARRAY(SELECT id FROM alert_outbox ORDER BY id LIMIT %s)) ORDER BY id
    """
    return _fetch_messages(conn, query, [MAX_ALERTS_PER_BATCH])


def count_unpublished(conn: Connection) -> int:
    """The number of alert steps that wait to be published."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute("SELECT count(*) FROM alert_outbox").fetchone() or 0)


def mark_published(conn: Connection, publications: Sequence[AlertPublication]) -> None:
    """Take alerts out of the outbox and record when they were published."""
    columns = _transpose(publications)
    with conn.transaction():
        conn.execute("DELETE FROM alert_outbox WHERE id = ANY(%s)", [columns[0]])
        conn.execute(INSERT_ALERT_PUBLICATIONS, columns)


def _transpose(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _message_expression(alias: str) -> str:
    return f"to_jsonb({alias}) - 'received_at'"


def _fetch_messages(conn: Connection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchall()


def _row_from_alert(sport_id: int, alert: Alert) -> tuple[Any, ...]:
    key, metrics = alert.key, alert.metrics
    legs = [
        {"outcome_id": g.outcome, "book_id": g.book, "price": g.price, "stake_fraction": g.stake_fraction}
        for g in metrics.legs
    ]
    return (
        sport_id,
        alert.alert_id,
        alert.seq,
        alert.state,
        alert.reason,
        to_datetime(alert.observed_at),
        alert.poll_id,
        alert.tick_poll_id,
        *(key.kind, key.event, key.market, key.point, key.outcome, key.book),
        *(getattr(metrics, column) for column in METRIC_COLUMNS),
        Jsonb(legs) if legs else None,
    )


def _alert_from_row(row: tuple[Any, ...]) -> Alert:
    steps, keys = len(STATE_COLUMNS), len(KEY_COLUMNS)
    alert_id, seq, state, reason, observed_at, poll_id, tick_poll_id = row[:steps]
    key = AlertKey(*row[steps : steps + keys])
    legs = tuple(Leg(g["outcome_id"], g["book_id"], g["price"], g["stake_fraction"]) for g in row[-1] or ())
    metrics = AlertMetrics(**dict(zip(METRIC_COLUMNS, row[steps + keys : -1], strict=True)), legs=legs)
    return Alert(alert_id, seq, state, reason, key, metrics, to_micros(observed_at), poll_id, tick_poll_id)
