"""Polls for the store's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, write_poll
from ml.quotes import UNKNOWN_TIME, EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg import Connection

NAN = float("nan")
NOON = datetime(2025, 11, 10, 12, tzinfo=UTC)
START = NOON + timedelta(hours=30)


class StoreHarness:
    """Two sports, three books and two events of the first sport; writes polls through the real store."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        ids = IdRegistry(conn)
        self.sport = ids.sport("americanfootball_nfl", "NFL")
        self.other_sport = ids.sport("icehockey_nhl", "NHL")
        self.books = [ids.book(key, key.title()) for key in ("pinnacle", "fanduel", "betmgm")]
        self.events = [ids.event(key, self.sport, "Seattle Seahawks", "Rams", START, NOON) for key in ("e1", "e2")]

    def record(self, at: datetime, sport: int | None = None, **values: Any) -> PollRecord:
        """A poll's row; `values` replace what does not matter to most tests."""
        usual: dict[str, Any] = {
            "sport_id": sport or self.sport,
            "feed": "simulate",
            "run_id": "run-1",
            "observed_at": to_micros(at),
            "received_at": to_micros(at) + 7,
            "quotes_seen": 10,
            "events": 2,
            "request_ms": 5.0,
            "body": b"[]",
        }
        return PollRecord(**usual | values)

    def write(
        self,
        at: datetime,
        quotes: QuoteBatch,
        times: Iterable[tuple[int, int, int, int]] = (),
        sport: int | None = None,
        listed: Sequence[int] | None = None,
    ) -> int | None:
        """Store a poll that lists `listed` events (default: all)."""
        events = self.events if listed is None else listed
        starts = EventStarts.from_rows((event, to_micros(START)) for event in events)
        return write_poll(self.conn, self.record(at, sport), quotes, MarketConfirmations.from_rows(times), starts)

    def quote(
        self,
        price: float = 2.0,
        *,
        event: int = 0,
        book: int = 0,
        market: int = Market.H2H,
        outcome: int = Outcome.HOME,
        point: float = NAN,
        book_time: int = UNKNOWN_TIME,
    ) -> tuple[int, int, int, int, float, float, int]:
        """A row of a `QuoteBatch`; event and book count within the harness."""
        return self.events[event], self.books[book], market, outcome, point, price, book_time


def rows(quotes: QuoteBatch) -> list[tuple[Any, ...]]:
    """The rows in a fixed order, NaN as None, so that they compare exactly."""
    columns = [[None if v != v else v for v in c.tolist()] for c in quotes.columns()]  # noqa: PLR0124 - NaN
    return sorted(zip(*columns, strict=True), key=repr)


def batch(n: int, events: Sequence[int], seed: int = 0) -> QuoteBatch:
    """`n` random quotes with every pattern of NULLs, prices and points with all their bits."""
    rng = np.random.default_rng(seed)
    point = rng.normal(0, 10, n).astype(np.float32)
    price = 1 + rng.exponential(2, n)
    book_time = rng.integers(0, 2**51, n)
    point[rng.random(n) < 0.5] = NAN
    price[rng.random(n) < 0.3] = NAN
    book_time[rng.random(n) < 0.3] = UNKNOWN_TIME
    return QuoteBatch(
        rng.choice(np.array(events, np.int32), n),
        rng.integers(1, 2**15 - 1, n).astype(np.int16),
        rng.integers(1, 2**15 - 1, n).astype(np.int16),
        rng.integers(1, 2**31 - 1, n).astype(np.int32),
        point,
        price,
        book_time,
    )
