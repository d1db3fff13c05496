"""A store of a realistic size for benchmarks: several sports, 2,500 events, 25 books, 1.3 million ticks.

Made, not recorded, at the pace of the NFL of 2025: there 11 books left 1,300 ticks an event before its start.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.store.polls import bulk_writer
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, get_partitions, write_poll
from ml.quotes import MICROS_PER_DAY, UNKNOWN_TIME, EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from psycopg import Connection

LISTED, BOOKS, POLLS = 500, 25, 504
"""Events on offer, books that offer them, polls of a week, one every 20 minutes."""
OTHER_SPORTS, OTHER_EVENTS, OTHER_TICKS = ("basketball_nba", "icehockey_nhl", "soccer_epl"), 2_000, 350
CHANGED = 0.0132
"""Share of the markets that a book changes from poll to poll; 30% of them move their point."""
NOW = datetime(2025, 11, 10, 12, tzinfo=UTC)
EVERY = timedelta(minutes=20)
MARKETS = (
    (Market.H2H, (Outcome.HOME, Outcome.AWAY)),
    (Market.SPREADS, (Outcome.HOME, Outcome.AWAY)),
    (Market.TOTALS, (Outcome.OVER, Outcome.UNDER)),
)


class Board:
    """What is on offer, by event, book, market and side; changes step by step."""

    def __init__(self, events: NDArray[np.int32], books: NDArray[np.int16]) -> None:
        self._rng = np.random.default_rng(0)
        shape = (len(events), len(books), len(MARKETS))
        self._price = np.round(self._rng.uniform(1.5, 2.6, (*shape, 2)), 2)
        self._point = np.broadcast_to(np.array([np.nan, 3.5, 44.5], np.float32), shape).copy()
        self._event: NDArray[np.int32] = np.broadcast_to(events[:, None, None], shape).ravel()
        self._book: NDArray[np.int16] = np.broadcast_to(books[:, None], shape).ravel()
        self._market = np.broadcast_to(np.array([m for m, _ in MARKETS], np.int16), shape).ravel()

    def whole(self, at: int) -> QuoteBatch:
        """Everything."""
        return self._rows(np.arange(self._event.size), at)

    def step(self, at: int) -> QuoteBatch:
        """Change some markets; return the changes, withdrawals of left points among them."""
        index = np.flatnonzero(self._rng.random(self._event.size) < CHANGED)
        moves = index[(self._rng.random(len(index)) < 0.3) & (self._market[index] != Market.H2H)]
        gone = self._rows(moves, UNKNOWN_TIME, withdrawn=True)
        self._point.reshape(-1)[moves] += self._rng.choice(np.array([-0.5, 0.5], np.float32), len(moves))
        prices = self._price.reshape(-1, 2)
        prices[index] = np.round(self._rng.uniform(1.5, 2.6, (len(index), 2)), 2)
        return concatenate([self._rows(index, at), gone])

    def _rows(self, index: NDArray[np.intp], at: int, *, withdrawn: bool = False) -> QuoteBatch:
        market, point = self._market[index], self._point.reshape(-1)[index]
        sides = np.array([[0, 0], *(outcomes for _, outcomes in MARKETS)], np.int32)
        row = np.searchsorted([m for m, _ in MARKETS], market) + 1
        return concatenate(
            [
                QuoteBatch(
                    self._event[index],
                    self._book[index],
                    market,
                    sides[row, side],
                    np.where(market == Market.SPREADS, point * (1 - 2 * side), point).astype(np.float32),
                    np.full(len(index), np.nan) if withdrawn else self._price.reshape(-1, 2)[index, side],
                    np.full(len(index), at),
                )
                for side in (0, 1)
            ]
        )

    def times(self, at: int) -> MarketConfirmations:
        """Every market, just confirmed."""
        return MarketConfirmations(self._event, self._book, self._market, np.full(self._event.size, at))


def concatenate(parts: list[QuoteBatch]) -> QuoteBatch:
    """All rows."""
    return QuoteBatch(*map(np.concatenate, zip(*(p.columns() for p in parts), strict=True)))


def fill(conn: Connection) -> Iterator[int]:
    """Fill an empty database; yields the sport's id behind every poll."""
    ids = IdRegistry(conn)
    sport = ids.sport("americanfootball_ncaaf", "NCAAF")
    books = np.array([ids.book(f"book_{n}", f"Book {n}") for n in range(BOOKS)], np.int16)
    events = _events(conn, sport, NOW, LISTED)
    for n, key in enumerate(OTHER_SPORTS):
        _write_finished_events(
            conn, ids.sport(key, key), books, NOW - timedelta(days=4 * n), OTHER_EVENTS // len(OTHER_SPORTS)
        )
    board = Board(events, books)
    starts = EventStarts(events, np.full(LISTED, to_micros(NOW + timedelta(days=1))))
    for n in range(POLLS):
        at = to_micros(NOW - (POLLS - 1 - n) * EVERY)
        quotes = board.step(at) if n else board.whole(at)
        record = PollRecord(sport, "simulate", "bench", at, at, len(quotes), LISTED, 1.0, b"[]")
        write_poll(conn, record, quotes, board.times(at), starts)
        yield sport


def _events(conn: Connection, sport: int, first_seen: datetime, n: int) -> NDArray[np.int32]:
    rows = conn.execute(
        "INSERT INTO events (key, sport_id, home_team, away_team, commence_at, original_commence_at, first_seen_at) "
        "SELECT %(s)s || ':' || i, %(s)s, 'Home ' || i, 'Away ' || i, %(c)s, %(c)s, %(f)s "
        "FROM generate_series(1, %(n)s) AS i RETURNING id",
        {"s": sport, "c": first_seen + timedelta(days=1), "f": first_seen - POLLS * EVERY, "n": n},
    )
    return np.array([row[0] for row in rows], np.int32)


def _write_finished_events(conn: Connection, sport: int, books: NDArray[np.int16], end: datetime, events: int) -> None:
    """Ticks of a fortnight, of events that are no longer on offer."""
    n, rng = events * OTHER_TICKS, np.random.default_rng(sport)
    at = np.sort(rng.integers(to_micros(end - timedelta(days=14)) // 10**6, to_micros(end) // 10**6, n) * 10**6)
    quotes = QuoteBatch(
        rng.choice(_events(conn, sport, end, events), n),
        rng.choice(books, n),
        np.full(n, Market.H2H, np.int16),
        rng.integers(Outcome.HOME, Outcome.AWAY + 1, n).astype(np.int32),
        np.full(n, np.nan, np.float32),
        np.round(rng.uniform(1.5, 2.6, n), 2),
        at,
    )
    for day in np.unique(at // MICROS_PER_DAY).tolist():
        get_partitions(conn).ensure_day(conn, to_datetime(day * MICROS_PER_DAY))
    bulk_writer.write_quotes(conn, quotes, at, np.full(n, -sport))
