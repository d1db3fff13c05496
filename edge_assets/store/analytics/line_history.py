"""Readers for the line movement charts: finding an event, its selections and its price history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import class_row, scalar_row

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

SELECT_EVENTS = """
SELECT
    e.id, s.key AS sport, e.home_team, e.away_team, e.commence_at, e.original_commence_at, e.start_assumed,
    e.first_seen_at
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id
WHERE {condition}
ORDER BY e.commence_at DESC, e.id
"""
WHERE_EVENT_ID = "e.id = %(id)s"
WHERE_EVENT_KEY = "e.key = %(key)s OR e.id IN (SELECT event_id FROM event_sources WHERE key = %(key)s)"
WHERE_TEAM_NAMES = "concat_ws(' ', e.home_team, e.away_team) ILIKE ALL (%(words)s::text[])"
SELECT_SELECTIONS = """
SELECT
    t.market_id, m.key AS market, t.outcome_id, o.name AS outcome, o.description, t.point,
    count(DISTINCT t.book_id) AS books, count(*) AS ticks
FROM clean_ticks AS t
INNER JOIN markets AS m ON t.market_id = m.id
INNER JOIN outcomes AS o ON t.outcome_id = o.id
WHERE
    t.event_id = %(event)s AND t.observed_at >= %(since)s AND t.observed_at <= %(until)s
    AND t.price IS NOT NULL
GROUP BY t.market_id, m.key, t.outcome_id, o.name, o.description, t.point
ORDER BY t.market_id, t.outcome_id, t.point
"""
SELECT_LINE_TICKS = """
SELECT t.book_id, t.outcome_id, coalesce(t.price, 'NaN'), t.observed_at, p.time_assumed::integer
FROM clean_ticks AS t INNER JOIN polls AS p ON t.poll_id = p.id
WHERE
    t.event_id = %(event)s AND t.observed_at >= %(since)s AND t.observed_at <= %(until)s
    AND t.market_id = %(market)s
    AND (t.outcome_id, coalesce(t.point, 'NaN'))
    IN (SELECT * FROM unnest(%(outcomes)s::integer[], %(points)s::real[]))
ORDER BY t.observed_at, t.poll_id
"""
TICK_TYPES = {"book": "i2", "outcome": "i4", "price": "f8", "at": TIMESTAMP, "assumed": "i4"}
MIN_KEY_DIGITS = 10
"""A number of this many digits may exceed an id, which has 31 bits."""
SELECT_LAST_POLL_TIME = """
SELECT max(p.observed_at)
FROM polls AS p INNER JOIN events AS e ON p.sport_id = e.sport_id
WHERE e.id = %s AND p.observed_at <= %s
"""
SELECT_LAST_TICK_TIME = "SELECT max(observed_at) FROM admitted_ticks WHERE event_id = %s AND observed_at >= %s"
SELECT_MOST_MOVED_MARKET = """
WITH moves AS (
    SELECT
        m.event_id, k.key AS market,
        sum(1 / (1 + exp(-m.position_after)) - 1 / (1 + exp(-m.position_before))) AS size
    FROM pricing.book_moves AS m INNER JOIN markets AS k ON m.market_id = k.id
    WHERE
        k.key IN ('h2h', 'h2h_3_way')
        AND m.moved_at >= (SELECT max(moved_at) - interval '7 days' FROM pricing.book_moves)
    GROUP BY m.event_id, k.key, m.book_id
)
SELECT event_id, market FROM moves
GROUP BY event_id, market HAVING count(*) >= 3
ORDER BY abs(avg(size)) DESC, event_id LIMIT 1
"""


class ChartedEvent(NamedTuple):
    """An event with its latest and its first stated start."""

    id: int
    sport: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    original_commence_at: datetime
    start_assumed: bool
    first_seen_at: datetime


class Selection(NamedTuple):
    """A selection; `point` is None where the market has none. Counts are of its prices."""

    market_id: int
    market: str
    outcome_id: int
    outcome: str
    description: str | None
    point: float | None
    books: int
    ticks: int


class LineTicks(NamedTuple):
    """Ticks (t,) of a line's outcomes in time order: `price` is NaN where withdrawn, `assumed` where the time is
    assumed.
    """

    book: NDArray[Any]
    outcome: NDArray[Any]
    price: NDArray[Any]
    at: NDArray[Any]
    assumed: NDArray[Any]


def find_events(conn: Connection, text: str) -> list[ChartedEvent]:
    """The events that match `text`, newest first: by id, by a source's key, or by words of the teams' names."""
    words = [f"%{_escape_like(word)}%" for word in text.split() if word.casefold() not in {"v", "vs", "at", "@", "-"}]
    if (
        text.isdecimal()
        and len(text) < MIN_KEY_DIGITS
        and (found := _load_events(conn, WHERE_EVENT_ID, {"id": int(text)}))
    ):
        return found
    return _load_events(conn, WHERE_EVENT_KEY, {"key": text}) or (
        _load_events(conn, WHERE_TEAM_NAMES, {"words": words}) if words else []
    )


def load_selections(conn: Connection, event: ChartedEvent, until: datetime | str) -> list[Selection]:
    """The selections quoted on an event up to a moment."""
    values = {"event": event.id, "since": event.first_seen_at, "until": until}
    with conn.cursor(row_factory=class_row(Selection)) as cursor:
        return cursor.execute(SELECT_SELECTIONS, values).fetchall()


def load_line_ticks(
    conn: Connection, event: ChartedEvent, market_id: int, sides: Sequence[tuple[int, float]], until: datetime | str
) -> LineTicks:
    """The ticks up to a moment of `sides`: outcome ids with their points, NaN where there is none."""
    outcomes, points = (list(column) for column in zip(*sides, strict=True))
    values = {"event": event.id, "since": event.first_seen_at, "until": until, "market": market_id}
    return LineTicks(
        **read_columns(conn, SELECT_LINE_TICKS, TICK_TYPES, values | {"outcomes": outcomes, "points": points})
    )


def load_book_keys_by_id(conn: Connection) -> dict[int, str]:
    """The key of every book by id."""
    return dict(conn.execute("SELECT id, key FROM books").fetchall())


def find_last_poll_time(conn: Connection, event: ChartedEvent) -> datetime | None:
    """When an event's sport was last polled before its start."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SELECT_LAST_POLL_TIME, [event.id, event.commence_at]).fetchone()


def find_last_tick_time(conn: Connection, event: ChartedEvent) -> datetime | None:
    """When a price of an event last changed, in play or not."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SELECT_LAST_TICK_TIME, [event.id, event.first_seen_at]).fetchone()


def find_most_moved_market(conn: Connection) -> tuple[int, str] | None:
    """Event and market of the result whose books moved furthest, on average, in the week up to the newest move.

    None unless at least three books moved. Needs the warehouse's prices.
    """
    row = conn.execute(SELECT_MOST_MOVED_MARKET).fetchone()
    return None if row is None else (row[0], row[1])


def _load_events(conn: Connection, condition: str, values: dict[str, Any]) -> list[ChartedEvent]:
    with conn.cursor(row_factory=class_row(ChartedEvent)) as cursor:
        return cursor.execute(SELECT_EVENTS.format(condition=condition), values).fetchall()


def _escape_like(word: str) -> str:
    """Escape `word` for LIKE."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
