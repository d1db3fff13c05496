"""When each book last confirmed each market of each event, and how stale its prices are.

Ages are counted in buckets, so that time has an effect only when a price enters the next bucket.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.arrays import IndexAllocator, double_capacity, find_runs
from ml.market.weights import FRESHNESS_AGES_SECONDS, FRESHNESS_WEIGHTS
from ml.quotes import MARKET_OUTCOMES, MICROS_PER_SECOND, UNKNOWN_TIME, Market

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ml.quotes import MarketConfirmations, Micros
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]

STALE_BUCKET = 4
"""Added to the bucket of a price that is too old to be used."""
_VALUED_MARKETS = len(MARKET_OUTCOMES)
_NOT_VALUED = -1
# the last entry is for all larger ids
_INDEX_BY_MARKET = np.full(max(Market) + 2, _NOT_VALUED, np.intp)
_INDEX_BY_MARKET[[int(market) for market in MARKET_OUTCOMES]] = range(_VALUED_MARKETS)


class _OfferedMarkets(NamedTuple):
    """The markets on offer, which of these rows are valued (None: all), and the ladders of the valued ones."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    valued: NDArray[np.intp] | None
    ladder: NDArray[np.intp]


class ConfirmationTimes:
    """`confirmed_at` (K, B) in microseconds, by ladder (a market of an event, see `find_ladders`) and book."""

    def __init__(self) -> None:
        self.confirmed_at = np.full((16 * _VALUED_MARKETS, 0), UNKNOWN_TIME, np.int64)
        self._events = IndexAllocator()
        self._offered: _OfferedMarkets | None = None

    def apply(
        self, times: MarketConfirmations, latest: Micros, columns_of: Callable[[NDArray[np.int16]], NDArray[np.intp]]
    ) -> None:
        """Apply a poll's confirmations, capped at `latest`.

        `columns_of` returns the books' columns; it adds new books by way of `insert_books`.
        """
        offered = self._offered = self._offered_markets(times.event, times.market)
        book, stated = times.book, np.minimum(times.confirmed_at, latest)
        if offered.valued is not None:
            book, stated = book[offered.valued], stated[offered.valued]
        column = columns_of(book)
        self.confirmed_at.reshape(-1)[offered.ladder * self.confirmed_at.shape[1] + column] = stated

    def find_ladders(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> NDArray[np.intp]:
        """The ladder of each market (N,), all of them valued; the rows of an event are usually adjacent."""
        first, length = find_runs(event)
        indices = self._events.allocate_all(event[first].tolist())
        while len(self._events) * _VALUED_MARKETS > len(self.confirmed_at):
            self.confirmed_at = double_capacity(self.confirmed_at, UNKNOWN_TIME)
        return (indices * _VALUED_MARKETS).repeat(length) + _INDEX_BY_MARKET.take(market)

    def insert_books(self, where: NDArray[np.intp]) -> None:
        """Insert columns for new books at the positions `where`, as in `np.insert`."""
        self.confirmed_at = np.insert(self.confirmed_at, where, UNKNOWN_TIME, axis=1)

    def release_event(self, event: int) -> None:
        """Free the ladders of an event that has ended."""
        index = self._events.release(event)
        if index is not None:
            self.confirmed_at[index * _VALUED_MARKETS : (index + 1) * _VALUED_MARKETS] = UNKNOWN_TIME
            self._offered = None

    def _offered_markets(self, event: NDArray[np.int32], market: NDArray[np.int16]) -> _OfferedMarkets:
        """The ladders of the markets on offer; usually those of the last poll, with the books in another order."""
        last = self._offered
        if last is not None and np.array_equal(event, last.event) and np.array_equal(market, last.market):
            return last
        valued = np.flatnonzero(_INDEX_BY_MARKET[np.minimum(market, len(_INDEX_BY_MARKET) - 1)] != _NOT_VALUED)
        if len(valued) == len(market):
            return _OfferedMarkets(event, market, None, self.find_ladders(event, market))
        return _OfferedMarkets(event, market, valued, self.find_ladders(event[valued], market[valued]))


def staleness_buckets(confirmed_at: NDArray[np.int64], now: Micros, rules: ScoringRules) -> NDArray[np.int8]:
    """How many of `FRESHNESS_AGES_SECONDS` each confirmation exceeds, plus `STALE_BUCKET` if it is stale.

    An unknown time exceeds all of them.
    """
    buckets = (confirmed_at < now - int(rules.stale_after_seconds * MICROS_PER_SECOND)).view(np.int8) * np.int8(
        STALE_BUCKET
    )
    for age in FRESHNESS_AGES_SECONDS:
        buckets += (confirmed_at < now - int(age * MICROS_PER_SECOND)).view(
            np.int8
        )  # a view is much faster than a cast
    return buckets


def is_fresh(buckets: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Which buckets are young enough to be used."""
    return buckets < STALE_BUCKET


def bucket_weights(buckets: NDArray[np.intp]) -> Array:
    """The share of its weight that a book keeps (`ml.market.weights.freshness_weight`)."""
    return WEIGHT_BY_BUCKET.take(buckets)


def staleness_variance(buckets: NDArray[np.intp], rules: ScoringRules) -> Array:
    """Variance, in log-odds, of the market's drift since the confirmation, at the oldest age of the bucket."""
    return _variance_by_bucket(rules.volatility, rules.stale_after_seconds).take(buckets)


@cache
def _variance_by_bucket(volatility: float, stale_after_seconds: float) -> Array:
    oldest = (*FRESHNESS_AGES_SECONDS, max(stale_after_seconds, *FRESHNESS_AGES_SECONDS))
    return volatility**2 * _by_bucket(oldest)


def _by_bucket(values: tuple[Any, ...]) -> Array:
    """A table of `values` by bucket, the same for stale buckets."""
    table = np.zeros(STALE_BUCKET + len(values))
    table[: len(values)] = table[STALE_BUCKET:] = values
    return table


WEIGHT_BY_BUCKET = _by_bucket(FRESHNESS_WEIGHTS)
