"""Alerts in the database: appended by the scorer, read by everybody else as messages.

A message is a row of the view `alert_messages` as JSON: the same for the stream, a resumed WebSocket and
REST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from edge_assets.clock import micros, to_datetime
from ml.scoring.alerts import Alert, AlertKey, Leg, Worth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros

KEY_COLUMNS = ("kind", "event_id", "market_id", "point", "outcome_id", "book_id")
WORTH_COLUMNS = (
    "expected_value",
    "books",
    "price_age_s",
    "price",
    "fair_probability",
    "implied_probability",
    "edge",
    "standard_error",
    "expected_value_low",
    "expected_value_high",
    "probability_positive",
    "push_probability",
    "kelly_fraction",
    "stake_fraction",
    "confidence",
    "method_spread",
    "market_width",
    "hold",
    "error_probability",
    "rules",
)
STEP_COLUMNS = ("alert_id", "seq", "state", "reason", "observed_at", "poll_id", "tick_poll_id")
COLUMNS = ("sport_id", *STEP_COLUMNS, *KEY_COLUMNS, *WORTH_COLUMNS, "legs")
INSERT = f"""
INSERT INTO alerts ({", ".join(COLUMNS)}) VALUES ({", ".join(["%s"] * len(COLUMNS))})
ON CONFLICT (alert_id, seq) DO NOTHING
"""
OPEN = """
id IN (SELECT max(id) FROM alerts GROUP BY alert_id HAVING NOT bool_or(state = 'closed'))
"""
"""The last step of each open alert, found before names are joined: 70 ms among 200,000 steps, not 1,200."""


class Progress(NamedTuple):
    """How far the scorer has come with a sport."""

    poll_id: int
    observed_at: datetime


def commit_step(
    conn: Connection,
    sport_id: int,
    poll_id: int,
    observed_at: Micros,
    alerts: Sequence[Alert],
    suppressed: Mapping[str, int],
) -> None:
    """Make a step of the scorer durable: its alerts, its counts and how far it has come, or nothing."""
    with conn.transaction(), conn.cursor() as cursor:
        if alerts:
            cursor.executemany(INSERT, [_row(sport_id, a) for a in alerts])
        if suppressed:
            cursor.executemany(
                "INSERT INTO suppressions (poll_id, reason, n) VALUES (%s, %s, %s) "
                "ON CONFLICT (poll_id, reason) DO UPDATE SET n = suppressions.n + excluded.n",
                [(poll_id, reason, n) for reason, n in suppressed.items()],
            )
        cursor.execute(
            "INSERT INTO scorer_progress (sport_id, poll_id, observed_at) VALUES (%s, %s, %s) "
            "ON CONFLICT (sport_id) DO UPDATE "
            "SET poll_id = excluded.poll_id, observed_at = excluded.observed_at",
            [sport_id, poll_id, to_datetime(observed_at)],
        )


def progress(conn: Connection) -> dict[int, Progress]:
    """How far the scorer has come, by sport."""
    rows = conn.execute("SELECT sport_id, poll_id, observed_at FROM scorer_progress")
    return {sport_id: Progress(poll_id, at) for sport_id, poll_id, at in rows}


def open_records(conn: Connection, sport_id: int) -> list[Alert]:
    """The last step of every alert of a sport that is open, as the scorer made it."""
    columns = ", ".join((*STEP_COLUMNS, *KEY_COLUMNS, *WORTH_COLUMNS, "legs"))
    rows = conn.execute(f"SELECT {columns} FROM alerts WHERE {OPEN} AND sport_id = %s", [sport_id])
    return [_record(row) for row in rows]


def open_alerts(conn: Connection, kind: str, sport: str | None = None) -> list[dict[str, Any]]:
    """The open alerts of a kind as messages, the most valuable first."""
    query = f"""
    SELECT {_message("m")} FROM alert_messages AS m
    WHERE {OPEN} AND kind = %s AND (sport = %s OR %s::text IS NULL) ORDER BY expected_value DESC, id
    """
    return _messages(conn, query, [kind, sport, sport])


def since(conn: Connection, alert_id: int, limit: int) -> list[dict[str, Any]]:
    """Messages with an id above `alert_id`, ascending, whether Redis has taken them yet or not.

    A resume that waited for the mark of publication would skip what is in the stream but not yet marked.
    """
    query = f"SELECT {_message('m')} FROM alert_messages AS m WHERE id > %s ORDER BY id LIMIT %s"
    return _messages(conn, query, [alert_id, limit])


def unpublished(conn: Connection) -> list[dict[str, Any]]:
    """Messages that are durable but not known to be public, ascending; each with its `received_at`."""
    return _messages(conn, "SELECT to_jsonb(m) FROM alert_messages AS m WHERE published_at IS NULL ORDER BY id", [])


def mark_published(conn: Connection, published: Iterable[tuple[int, datetime, float]]) -> None:
    """Note when alerts became public, and how many milliseconds after their payload was received."""
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            "UPDATE alerts SET published_at = %s, detection_latency_ms = %s WHERE id = %s",
            [(at, latency, alert_id) for alert_id, at, latency in published],
        )


def _message(alias: str) -> str:
    return f"to_jsonb({alias}) - 'received_at'"


def _messages(conn: Connection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(query, values).fetchall()


def _row(sport_id: int, alert: Alert) -> tuple[Any, ...]:
    key, worth = alert.key, alert.worth
    legs = [
        {"outcome_id": g.outcome, "book_id": g.book, "price": g.price, "stake_fraction": g.stake_fraction}
        for g in worth.legs
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
        *(getattr(worth, column) for column in WORTH_COLUMNS),
        Jsonb(legs) if legs else None,
    )


def _record(row: tuple[Any, ...]) -> Alert:
    steps, keys = len(STEP_COLUMNS), len(KEY_COLUMNS)
    alert_id, seq, state, reason, observed_at, poll_id, tick_poll_id = row[:steps]
    key = AlertKey(*row[steps : steps + keys])
    legs = tuple(Leg(g["outcome_id"], g["book_id"], g["price"], g["stake_fraction"]) for g in row[-1] or ())
    worth = Worth(**dict(zip(WORTH_COLUMNS, row[steps + keys : -1], strict=True)), legs=legs)
    return Alert(alert_id, seq, state, reason, key, worth, micros(observed_at), poll_id, tick_poll_id)
