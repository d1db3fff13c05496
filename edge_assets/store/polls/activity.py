"""The last poll of each sport and how much prices moved: inputs for poll intervals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge_assets.store.polls.packing import unpack_columns
from ml.quotes import EventStarts

if TYPE_CHECKING:
    from psycopg import Connection

MIN_MINUTES_BETWEEN_POLLS = 1e-3
"""Minimum time between two polls for measuring how fast prices move."""
_SELECT_LAST_POLLS = """
SELECT s.key, p.observed_at, p.received_at, p.quotes_seen, p.ticks, p.starts,
       before.observed_at AS previous
FROM sports s
CROSS JOIN LATERAL (SELECT * FROM polls WHERE sport_id = s.id AND import_id IS NULL
                    ORDER BY observed_at DESC LIMIT 1) p
LEFT JOIN LATERAL (SELECT observed_at FROM polls WHERE sport_id = s.id AND observed_at < p.observed_at
                   AND import_id IS NULL
                   ORDER BY observed_at DESC LIMIT 1) before ON true
"""


@dataclass(frozen=True, slots=True)
class PollSummary:
    """The newest poll of a sport: its moment in the feed's time, and when its response was received by the wall clock.

    The two differ in a replay, and live after the clock was set back, because a sport's polls never go back in time.
    `starts` are those of the events it listed; `movement` is the share of its quotes that changed in a minute
    since the poll before (0 if there was none).
    """

    observed_at: datetime
    received_at: datetime
    starts: tuple[datetime, ...]
    movement: float


def load_last_polls(connection: Connection) -> dict[str, PollSummary]:
    """The newest poll of every sport that has one, by sport key."""
    return {
        key: PollSummary(
            at,
            received_at,
            start_times(unpack_columns(EventStarts, starts)),
            movement(changed, seen, previous, at),
        )
        for key, at, received_at, seen, changed, starts, previous in connection.execute(_SELECT_LAST_POLLS)
    }


def start_times(starts: EventStarts) -> tuple[datetime, ...]:
    """The start times of listed events, sorted, each once."""
    return tuple(datetime.fromtimestamp(at / 1e6, UTC) for at in sorted(set(starts.commence_at.tolist())))


def movement(changed: int, seen: int, previous: datetime | None, now: datetime) -> float:
    """The share of `seen` quotes that changed per minute.

    0 for the first poll and for one that follows immediately, whose moment may only encode its order.
    """
    minutes = (now - previous).total_seconds() / 60 if previous else 0.0
    return changed / seen / minutes if seen and minutes > MIN_MINUTES_BETWEEN_POLLS else 0.0


def find_received_at(connection: Connection, poll_id: int) -> datetime | None:
    """When a poll's response was received, by the wall clock; None if there is no such poll."""
    row = connection.execute("SELECT received_at FROM polls WHERE id = %s", [poll_id]).fetchone()
    return row[0] if row else None
