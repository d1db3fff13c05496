"""A market whose movements are known, as the polls in which it arrives."""

from __future__ import annotations

from math import exp, nan
from typing import NamedTuple

from ml.quotes import (
    MARKET_OUTCOMES,
    MICROS_PER_SECOND,
    EventStarts,
    Market,
    MarketConfirmations,
    PollChanges,
    QuoteBatch,
)

SECOND = MICROS_PER_SECOND


class Held(NamedTuple):
    """A book's line: log-odds of the first outcome, and its point."""

    log_odds: float
    point: float = nan


class Stream:
    """Books hold lines in markets; `poll` returns what changed since the last one."""

    def __init__(self, books: int = 8, market: Market = Market.H2H, point: float = nan) -> None:
        self.now = 1_000 * SECOND
        self.market = market
        self.lines = {(1, book): Held(0.0, point) for book in range(1, books + 1)}
        self.starts = {1: self.now + 7 * 86_400 * SECOND}
        self.frozen: dict[int, int] = {}
        self.every: dict[int, int] = {}
        self._sent: dict[tuple[int, int, int, float], float] = {}

    def move(self, book: int, by: float, event: int = 1) -> None:
        held = self.lines[event, book]
        self.lines[event, book] = held._replace(log_odds=held.log_odds + by)

    def hang(self, book: int, point: float, event: int = 1) -> None:
        self.lines[event, book] = self.lines[event, book]._replace(point=point)

    def freeze(self, book: int) -> None:
        """Stop confirming."""
        self.frozen[book] = self.now

    def poll(self, seconds: float = 15) -> PollChanges:
        self.now += int(seconds * SECOND)
        offered = {
            (event, book, int(outcome), -held.point if side and self.market is Market.SPREADS else held.point): price
            for (event, book), held in self.lines.items()
            for side, (outcome, price) in enumerate(
                zip(MARKET_OUTCOMES[self.market], prices(held.log_odds), strict=True)
            )
        }
        keyed = {(*k[:3], repr(k[3])): k for k in (*offered, *self._sent)}
        known = {(*k[:3], repr(k[3])): v for k, v in offered.items()}
        sent = {(*k[:3], repr(k[3])): v for k, v in self._sent.items()}
        changed = {k: v for k, v in known.items() if sent.get(k) != v} | {k: nan for k in sent if k not in known}
        self._sent = offered
        rows = [(e, b, self.market, o, p, v, self.now) for k, v in changed.items() for e, b, o, p in [keyed[k]]]
        return PollChanges(
            self.now, "test", self.now, self.now, "run",
            QuoteBatch.from_rows(rows), self.times(), EventStarts.from_rows(self.starts.items()),
        )  # fmt: skip

    def times(self) -> MarketConfirmations:
        return MarketConfirmations.from_rows(
            [(event, book, self.market, self._confirmed_at(book)) for event, book in self.lines]
        )

    def _confirmed_at(self, book: int) -> int:
        every = self.every.get(book, 1) * SECOND
        return self.frozen.get(book, self.now // every * every)


def prices(log_odds: float, margin: float = 1.04) -> tuple[float, float]:
    p = 1 / (1 + exp(-log_odds))
    return 1 / (p * margin), 1 / ((1 - p) * margin)
