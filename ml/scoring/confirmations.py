"""When each book last confirmed each market of each event, and how old that makes its prices.

Ages are counted in steps, so that time has an effect only when a step is passed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.arrays import IndexAllocator, double_capacity, find_runs
from ml.market.weights import FRESHNESS_AGES_SECONDS, FRESHNESS_WEIGHTS
from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, Market

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.quotes import MarketConfirmations, Micros
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]

MICROS_PER_SECOND = 1_000_000
STALE_BUCKET = 4
"""Added to the step of what is too old to be believed."""
_VALUED_MARKETS = len(MARKET_OUTCOMES)
_NOT_VALUED = -1
# the last place stands for all ids beyond
_INDEX_BY_MARKET = np.full(max(Market) + 2, _NOT_VALUED, np.intp)
_INDEX_BY_MARKET[[int(market) for market in MARKET_OUTCOMES]] = range(_VALUED_MARKETS)


class _OfferedMarkets(NamedTuple):
    """The markets on offer, row by row, which rows of them are valued (None: all), and the ladders of these."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    valued: NDArray[np.intp] | None
    event_market: NDArray[np.intp]


class ConfirmationTimes:
    """`times` (K, B) by ladder (a market of an event, `event_markets` numbers them) and book, in microseconds."""

    def __init__(self) -> None:
        self.confirmed_at = np.full((16 * _VALUED_MARKETS, 0), UNKNOWN_TIME, np.int64)
        self._events = IndexAllocator()
        self._offered: _OfferedMarkets | None = None

    def apply(
        self, times: MarketConfirmations, latest: Micros, columns_of: Callable[[NDArray[np.int16]], NDArray[np.intp]]
    ) -> None:
        """Take over a poll's times, none later than `latest`.

        `columns_of` gives books theirs, and lets `insert_books` make room for new ones.
        """
        offered = self._offered = self._offered_markets(times.event, times.market)
        book, stated = times.book, np.minimum(times.confirmed_at, latest)
        if offered.valued is not None:
            book, stated = book[offered.valued], stated[offered.valued]
        column = columns_of(book)
        self.confirmed_at.reshape(-1)[offered.event_market * self.confirmed_at.shape[1] + column] = stated

    def event_markets(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> NDArray[np.intp]:
        """The ladder of each market (N,), all of them valued; those of an event mostly stand together."""
        first, length = find_runs(event)
        indices = self._events.allocate_all(event[first].tolist())
        while len(self._events) * _VALUED_MARKETS > len(self.confirmed_at):
            self.confirmed_at = double_capacity(self.confirmed_at, UNKNOWN_TIME)
        return (indices * _VALUED_MARKETS).repeat(length) + _INDEX_BY_MARKET.take(market)

    def insert_books(self, where: NDArray[np.intp]) -> None:
        """Make columns for new books, as `np.insert` counts."""
        self.confirmed_at = np.insert(self.confirmed_at, where, UNKNOWN_TIME, axis=1)

    def release_event(self, event: int) -> None:
        """Free the ladders of an event that has ended."""
        index = self._events.release(event)
        if index is not None:
            self.confirmed_at[index * _VALUED_MARKETS : (index + 1) * _VALUED_MARKETS] = UNKNOWN_TIME
            self._offered = None

    def _offered_markets(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> _OfferedMarkets:
        """The ladders of what is on offer: mostly those of the last poll, only the books come in another order."""
        last = self._offered
        if last is not None and np.array_equal(event, last.event) and np.array_equal(market, last.market):
            return last
        valued = np.flatnonzero(_INDEX_BY_MARKET[np.minimum(market, len(_INDEX_BY_MARKET) - 1)] != _NOT_VALUED)
        if len(valued) == len(market):
            return _OfferedMarkets(event, market, None, self.event_markets(event, market))
        return _OfferedMarkets(event, market, valued, self.event_markets(event[valued], market[valued]))


def staleness_buckets(confirmed_at: NDArray[np.int64], now: Micros, rules: ScoringRules) -> NDArray[np.int8]:
    """How many of `FRESHNESS_AGES_SECONDS` each confirmation has passed, plus `STALE_BUCKET`; an unknown time has
    passed all.
    """
    buckets = (confirmed_at < now - int(rules.stale_after_seconds * MICROS_PER_SECOND)).view(np.int8) * np.int8(
        STALE_BUCKET
    )
    for age in FRESHNESS_AGES_SECONDS:
        buckets += (confirmed_at < now - int(age * MICROS_PER_SECOND)).view(
            np.int8
        )  # viewed, not cast: five times as fast
    return buckets


def is_fresh(buckets: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which are young enough to be believed."""
    return buckets < STALE_BUCKET


def bucket_weights(buckets: NDArray[np.intp]) -> Array:
    """The share of its weight that a book keeps (`ml.market.freshness`)."""
    return WEIGHT_BY_BUCKET.take(buckets)


def staleness_variance(buckets: NDArray[np.intp], rules: ScoringRules) -> Array:
    """What the market may have drifted since, a variance in log-odds: that of the oldest age of the step."""
    return _variance_by_bucket(rules.volatility, rules.stale_after_seconds).take(buckets)


@cache
def _variance_by_bucket(volatility: float, stale_after_seconds: float) -> Array:
    oldest = (*FRESHNESS_AGES_SECONDS, max(stale_after_seconds, *FRESHNESS_AGES_SECONDS))
    return volatility**2 * _by_bucket(oldest)


def _by_bucket(values: tuple[Any, ...]) -> Array:
    """A value for every step, stale or not."""
    table = np.zeros(STALE_BUCKET + len(values))
    table[: len(values)] = table[STALE_BUCKET:] = values
    return table


WEIGHT_BY_BUCKET = _by_bucket(FRESHNESS_WEIGHTS)
