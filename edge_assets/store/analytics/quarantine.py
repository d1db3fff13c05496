"""Quarantine of single prices: what is to be checked, what is quarantined, and how it is released.

Ticks are never changed. Quarantine is recorded separately with its own time, and the views `clean_ticks` and
`clean_aggregates` show NULL in place of a quarantined price.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from psycopg.rows import class_row, dict_row, scalar_row

from edge_assets.core.clock import to_datetime
from edge_assets.store.analytics.held_out import (
    GATE_NAME,
    IS_PRICE_ACCEPTED,
    NON_PRICE_CHECKS,
    SELECT_ACCEPTED_FINDINGS,
)
from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection

    Columns = dict[str, NDArray[Any]]

BEST_PRICE_BOOK = -1
"""Stands for the recorded best price of all books (aggregate `max`)."""
LINE_POINT_EXPRESSION = """
CASE WHEN t.market_id = 3 AND t.outcome_id = 2 THEN 0 - t.point ELSE coalesce(t.point, 0) END::real
"""
SELECT_DUE_EVENTS = """
WITH due AS MATERIALIZED (
    SELECT p.id, p.observed_at FROM polls AS p
    WHERE
        (%(everything)s OR NOT EXISTS (SELECT FROM pricing.priced_polls AS d WHERE d.poll_id = p.id))
        AND NOT EXISTS (
            SELECT FROM blocked_feeds AS b WHERE b.sport_id = p.sport_id AND coalesce(b.feed = p.feed, true)
        )
),
period AS MATERIALIZED (SELECT min(observed_at) AS since, max(observed_at) AS until FROM due)
SELECT DISTINCT event_id FROM (
    SELECT t.event_id FROM admitted_ticks AS t
    WHERE
        t.observed_at BETWEEN (SELECT since FROM period) AND (SELECT until FROM period)
        AND t.poll_id IN (SELECT id FROM due)
    UNION ALL
    SELECT a.event_id FROM admitted_aggregates AS a WHERE a.poll_id IN (SELECT id FROM due)
) AS t
ORDER BY event_id
"""
MAX_JUDGED_EVENTS = 1_000
"""The newest events of a season that are compared with the due ones."""
SELECT_COMPARED_EVENTS = """
WITH seasons AS (SELECT * FROM unnest(%(sports)s::smallint[], %(seasons)s::smallint[]) AS n (sport_id, season)),
dated AS (
    SELECT e.id, e.sport_id, season_of(s.key, e.original_commence_at) AS season, e.commence_at
    FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.sport_id = ANY(%(sports)s)
),
ranked AS (
    SELECT
        d.id, d.sport_id, d.season,
        row_number() OVER (PARTITION BY d.sport_id, d.season ORDER BY d.commence_at DESC, d.id) AS place
    FROM dated AS d INNER JOIN seasons AS n ON d.sport_id = n.sport_id AND d.season = n.season
)
SELECT sport_id, season, array_agg(id) FROM ranked WHERE place <= %(most)s GROUP BY sport_id, season
"""
SELECT_DUE_TICKS = f"""
WITH wanted AS MATERIALIZED (
    SELECT
        e.id AS event_id, e.first_seen_at, least(e.commence_at, e.original_commence_at) AS until, e.sport_id,
        season_of(s.key, e.original_commence_at) AS season
    FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.id = ANY(%(events)s)
),
accepted AS MATERIALIZED ({SELECT_ACCEPTED_FINDINGS}),
known AS MATERIALIZED (
    SELECT
        event_id, observed_at, poll_id, market_id, outcome_id, point, coalesce(book_id, {BEST_PRICE_BOOK}) AS book_id,
        bool_or(released_at IS NULL) AS is_held, bool_or(released_by <> %(gate)s) AS is_released
    FROM quarantined_ticks WHERE event_id = ANY(%(events)s) AND (kind IS NULL OR kind = 'max')
    GROUP BY event_id, observed_at, poll_id, market_id, outcome_id, point, coalesce(book_id, {BEST_PRICE_BOOK})
)
SELECT
    t.event_id, t.market_id, {LINE_POINT_EXPRESSION}, t.outcome_id, t.book_id, t.observed_at, t.poll_id,
    coalesce(t.price, 'NaN'), (NOT coalesce(k.is_released, false) AND NOT {IS_PRICE_ACCEPTED})::integer, (d.poll_id IS
    NULL)::integer, coalesce(k.is_held, false)::integer, coalesce(p.import_id, 0)
FROM (
    SELECT
        t.event_id, t.market_id, t.outcome_id, t.point, t.book_id, t.observed_at, t.poll_id, t.price, n.sport_id,
        n.season
    FROM admitted_ticks AS t INNER JOIN wanted AS n
        ON t.event_id = n.event_id AND t.observed_at >= n.first_seen_at AND t.observed_at < n.until
    WHERE
        t.event_id = ANY(%(events)s)
        AND t.observed_at >= %(first)s AND t.observed_at < %(last)s
    UNION ALL
    SELECT
        t.event_id, t.market_id, t.outcome_id, t.point, {BEST_PRICE_BOOK}::smallint, t.observed_at, t.poll_id, t.price,
        n.sport_id, n.season
    FROM admitted_aggregates AS t INNER JOIN wanted AS n ON t.event_id = n.event_id AND t.observed_at < n.until
    WHERE t.kind = 'max' AND t.event_id = ANY(%(events)s)
) AS t
LEFT JOIN known AS k
    ON
        t.event_id = k.event_id AND t.observed_at = k.observed_at AND t.poll_id = k.poll_id AND t.book_id = k.book_id
        AND t.market_id = k.market_id AND t.outcome_id = k.outcome_id AND t.point IS NOT DISTINCT FROM k.point
LEFT JOIN pricing.priced_polls AS d ON t.poll_id = d.poll_id
LEFT JOIN polls AS p ON t.poll_id = p.id
WHERE t.market_id = ANY(%(markets)s)
"""
"""All ticks of events before their starts. The event condition appears twice; without it the server would not use each
partition's index. What a person has accepted or released is not checked again."""
TICK_TYPES = {
    "event_id": "i4", "market_id": "i2", "line_point": "f4", "outcome_id": "i4", "book_id": "i2",
    "observed_at": TIMESTAMP, "poll_id": "i8", "price": "f8", "due": "i4", "new": "i4", "held": "i4", "import_id": "i4",
}  # fmt: skip
INSERT_QUARANTINED = f"""
WITH q AS (
    SELECT * FROM unnest(
        %(event_id)s::integer[], %(market_id)s::smallint[], %(line_point)s::real[], %(outcome_id)s::integer[],
        %(book)s::{{book_type}}[], %(observed_at)s::timestamptz[], %(poll_id)s::bigint[], %(check)s::text[],
        %(reason)s::text[]
    ) AS j (event_id, market_id, line_point, outcome_id, {{book_column}}, observed_at, poll_id, check_name, reason)
),
inserted AS (
    INSERT INTO quarantined_ticks (
        observed_at, {{time}} poll_id, price, event_id, outcome_id, point, {{book_column}}, market_id, check_name,
        reason
    )
    SELECT
        t.observed_at, {{time}} t.poll_id, t.price, t.event_id, t.outcome_id, t.point, t.{{book_column}}, t.market_id,
        q.check_name, q.reason
    FROM {{table}} AS t INNER JOIN q
        ON
            t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
            AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND t.{{book_column}} = q.{{book_column}}
            AND {LINE_POINT_EXPRESSION} = q.line_point
    WHERE t.price IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING poll_id
),
repriced AS (DELETE FROM pricing.priced_polls AS d USING inserted WHERE d.poll_id = inserted.poll_id)
SELECT count(*) FROM inserted
"""
RELEASE_TICKS = f"""
WITH q AS (
    SELECT * FROM unnest(
        %(event_id)s::integer[], %(market_id)s::smallint[], %(line_point)s::real[], %(outcome_id)s::integer[],
        %(book)s::smallint[], %(observed_at)s::timestamptz[], %(poll_id)s::bigint[]
    ) AS j (event_id, market_id, line_point, outcome_id, book_id, observed_at, poll_id)
),
released AS (
    UPDATE quarantined_ticks AS t SET released_at = clock_timestamp(), released_by = %(gate)s
    FROM q
    WHERE
        t.released_at IS NULL AND t.event_id = q.event_id AND t.observed_at = q.observed_at AND t.poll_id = q.poll_id
        AND t.market_id = q.market_id AND t.outcome_id = q.outcome_id AND coalesce(t.book_id, {BEST_PRICE_BOOK}) =
        q.book_id AND {LINE_POINT_EXPRESSION} = q.line_point
    RETURNING t.poll_id
),
repriced AS (DELETE FROM pricing.priced_polls AS d USING released WHERE d.poll_id = released.poll_id)
SELECT count(*) FROM released
"""
INSERT_QUARANTINED_TICKS = INSERT_QUARANTINED.format(
    table="odds_ticks", book_column="book_id", book_type="smallint", time="book_time,"
)
INSERT_QUARANTINED_AGGREGATES = INSERT_QUARANTINED.format(
    table="aggregate_ticks", book_column="kind", book_type="text", time=""
)
RELEASE_QUARANTINED_TICK = """
WITH q AS (
    UPDATE quarantined_ticks SET released_at = clock_timestamp(), released_by = %(by)s
    WHERE id = %(id)s AND released_at IS NULL
    RETURNING poll_id
),
repriced AS (DELETE FROM pricing.priced_polls AS d USING q WHERE d.poll_id = q.poll_id)
SELECT count(*) FROM q
"""
SELECT_PERIOD = """
SELECT min(first_seen_at)::text, max(least(commence_at, original_commence_at))::text FROM events WHERE id = ANY(%s)
"""
SELECT_SEASONS = """
SELECT e.id, e.sport_id, season_of(s.key, e.original_commence_at)
FROM events AS e INNER JOIN sports AS s ON e.sport_id = s.id WHERE e.id = ANY(%s)
"""
SELECT_QUARANTINED = """
SELECT
    q.id, s.key AS sport, e.home_team, e.away_team, e.commence_at, m.key AS market, o.name AS outcome, q.point,
    coalesce(b.key, q.kind) AS book, q.price, q.observed_at, q.poll_id, p.feed, i.path AS file, q.check_name, q.reason,
    q.quarantined_at, q.released_at, q.released_by
FROM quarantined_ticks AS q
INNER JOIN events AS e ON q.event_id = e.id
INNER JOIN sports AS s ON e.sport_id = s.id
INNER JOIN markets AS m ON q.market_id = m.id
INNER JOIN outcomes AS o ON q.outcome_id = o.id
LEFT JOIN books AS b ON q.book_id = b.id
LEFT JOIN polls AS p ON q.poll_id = p.id
LEFT JOIN imports AS i ON p.import_id = i.id
"""
SELECT_QUARANTINED_BY_FILTER = (
    SELECT_QUARANTINED
    + """
WHERE
    (%(released)s OR q.released_at IS NULL)
    AND (%(sport)s::text IS NULL OR starts_with(s.key, %(sport)s))
    AND (%(book)s::text IS NULL OR coalesce(b.key, q.kind) = %(book)s)
    AND (%(season)s::integer IS NULL OR season_of(s.key, e.original_commence_at) = %(season)s)
    AND (%(check)s::text IS NULL OR q.check_name = %(check)s)
ORDER BY q.id DESC LIMIT %(limit)s
"""
)
SELECT_QUARANTINED_BY_ID = SELECT_QUARANTINED + "WHERE q.id = %(id)s"
SELECT_PRICES_OF_OTHER_BOOKS = """
SELECT book, price FROM (
    SELECT DISTINCT ON (t.book_id) b.key AS book, t.price
    FROM quarantined_ticks AS q
    INNER JOIN clean_ticks AS t
        ON
            q.event_id = t.event_id AND q.market_id = t.market_id AND q.outcome_id = t.outcome_id
            AND q.point IS NOT DISTINCT FROM t.point AND t.observed_at <= q.observed_at
    INNER JOIN books AS b ON t.book_id = b.id
    WHERE q.id = %(id)s AND t.book_id IS DISTINCT FROM q.book_id
    ORDER BY t.book_id, t.observed_at DESC, t.poll_id DESC
) AS latest
WHERE price IS NOT NULL ORDER BY price DESC, book
"""
COUNT_QUARANTINED_BY_CHECK = (
    "SELECT check_name, count(*) FROM quarantined_ticks WHERE released_at IS NULL GROUP BY check_name ORDER BY 1"
)


class QuarantineFilter(NamedTuple):
    """A filter on quarantined prices: `released` ones too, sports by key prefix, book, season, check; None: all."""

    released: bool = False
    sport: str | None = None
    book: str | None = None
    season: int | None = None
    check: str | None = None


ALL_QUARANTINED = QuarantineFilter()


class CheckVerdict(NamedTuple):
    """Why a tick is quarantined: the check and its reason."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantinedPrice:
    """A quarantined price with names instead of ids. `book` may be an aggregate's kind; `file` is the imported file."""

    id: int
    sport: str
    home_team: str | None
    away_team: str | None
    commence_at: datetime
    market: str
    outcome: str
    point: float | None
    book: str
    price: float
    observed_at: datetime
    poll_id: int
    feed: str | None
    file: str | None
    check_name: str
    reason: str
    quarantined_at: datetime
    released_at: datetime | None
    released_by: str | None


def load_due_events(conn: Connection, *, everything: bool = False) -> list[int]:
    """The events with unpriced ticks, or all events if `everything`."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SELECT_DUE_EVENTS, {"everything": everything}).fetchall()


def load_evidence(conn: Connection, due: Sequence[int]) -> dict[tuple[int, int], list[int]]:
    """By sport and season: the events `due` and the newest others of the season, at most `MAX_JUDGED_EVENTS`."""
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for event, place in load_seasons(conn, due).items():
        found[place].add(event)
    if found:
        sports, years = (list(column) for column in zip(*found, strict=True))
        values = {"sports": sports, "seasons": years, "most": MAX_JUDGED_EVENTS}
        for sport, year, events in conn.execute(SELECT_COMPARED_EVENTS, values):
            found[sport, year].update(events)
    return {place: sorted(events) for place, events in sorted(found.items())}


def load_due_ticks(conn: Connection, events: Sequence[int], markets: Sequence[int]) -> Columns:
    """The ticks of `events` before their starts that are not held out.

    `TICK_TYPES`, by market, line and time. `due` is 1 if the tick is to be checked, that is, unless a person has
    accepted or released it; `new` is 1 if the warehouse has not priced it; `held` is 1 if it is quarantined. The
    recorded best price has book `BEST_PRICE_BOOK`. A withdrawal is NaN. If two imports state the same quote, the
    earlier one is held out or being rechecked, and the later one sorts behind it.
    """
    values = {"events": list(events), "not_of_prices": NON_PRICE_CHECKS, "gate": GATE_NAME, "markets": list(markets)}
    ticks = read_columns(conn, SELECT_DUE_TICKS, TICK_TYPES, values | load_period(conn, events))
    order = np.lexsort([ticks[name] for name in ("import_id", "observed_at", "line_point", "event_id", "market_id")])
    return {name: column[order] for name, column in ticks.items()}


def quarantine_ticks(conn: Connection, ticks: Columns, verdicts: Sequence[CheckVerdict]) -> int:
    """Quarantine ticks (`TICK_TYPES`), each with its verdict; return how many are new.

    Ticks already quarantined, or released by a person, are left unchanged.
    """
    is_best_price = ticks["book_id"] == BEST_PRICE_BOOK
    with conn.transaction(), conn.cursor(row_factory=scalar_row) as cursor:
        return sum(
            cursor.execute(query, _insert_parameters(ticks, verdicts, np.flatnonzero(chosen), books)).fetchone() or 0
            for query, chosen, books in (
                (INSERT_QUARANTINED_TICKS, ~is_best_price, ticks["book_id"].tolist()),
                (INSERT_QUARANTINED_AGGREGATES, is_best_price, ["max"] * len(is_best_price)),
            )
            if chosen.any()
        )


def release_ticks(conn: Connection, ticks: Columns) -> int:
    """Release ticks (`TICK_TYPES`) that are sound by what is known now; return how many.

    They can be quarantined again, in a new row, so that the history stays on record.
    """
    books = ticks["book_id"].tolist()
    values = _insert_parameters(ticks, [], np.arange(len(books)), books) | {"gate": GATE_NAME}
    with conn.cursor(row_factory=scalar_row) as cursor:
        return (cursor.execute(RELEASE_TICKS, values).fetchone() or 0) if books else 0


def _insert_parameters(
    ticks: Columns, verdicts: Sequence[CheckVerdict], chosen: NDArray[np.intp], books: Sequence[int | str]
) -> dict[str, list[Any]]:
    names = ("event_id", "market_id", "line_point", "outcome_id", "poll_id")
    times = ticks["observed_at"][chosen]
    return {
        **{name: ticks[name][chosen].tolist() for name in names},
        "observed_at": [to_datetime(at) for at in times.tolist()],
        "book": [books[i] for i in chosen.tolist()],
        "check": [verdicts[i].check for i in chosen.tolist()] if verdicts else [],
        "reason": [verdicts[i].reason for i in chosen.tolist()] if verdicts else [],
    }


def count_quarantined(conn: Connection) -> dict[str, int]:
    """The number of quarantined ticks by check."""
    return dict(conn.execute(COUNT_QUARANTINED_BY_CHECK).fetchall())


def load_quarantined(
    conn: Connection, filters: QuarantineFilter = ALL_QUARANTINED, limit: int = 100
) -> list[QuarantinedPrice]:
    """The newest quarantined prices that match the filter."""
    with conn.cursor(row_factory=class_row(QuarantinedPrice)) as cursor:
        return cursor.execute(SELECT_QUARANTINED_BY_FILTER, {**filters._asdict(), "limit": limit}).fetchall()


def find_quarantined(conn: Connection, quarantine_id: int) -> QuarantinedPrice | None:
    """One quarantined price."""
    with conn.cursor(row_factory=class_row(QuarantinedPrice)) as cursor:
        return cursor.execute(SELECT_QUARANTINED_BY_ID, {"id": quarantine_id}).fetchone()


def load_prices_of_other_books(conn: Connection, quarantine_id: int) -> list[dict[str, Any]]:
    """Other books' prices of the same selection at the moment of a quarantined price, the longest first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SELECT_PRICES_OF_OTHER_BOOKS, {"id": quarantine_id}).fetchall()


def release_price(conn: Connection, quarantine_id: int, by: str) -> bool:
    """Release a price, so that the next warehouse build includes it; false if it is not quarantined."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return bool(cursor.execute(RELEASE_QUARANTINED_TICK, {"id": quarantine_id, "by": by}).fetchone())


def load_period(conn: Connection, events: Sequence[int]) -> dict[str, Any]:
    """From the `first` observation to the `last` start of events; passed as constants, they prune partitions at
    planning.
    """
    first, last = conn.execute(SELECT_PERIOD, [list(events)]).fetchone() or (None, None)
    return {"first": first, "last": last}


def load_seasons(conn: Connection, events: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Sport and season of each event; a season is named by the year in which it begins."""
    return {event: (sport, season) for event, sport, season in conn.execute(SELECT_SEASONS, [list(events)])}
