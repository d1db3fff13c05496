"""Whether the sources of a market agree: each book, and the recorded best price, against the median of the others.

Prices are compared as centred logarithms: a margin, even a wrong scale, shifts all outcomes alike and cancels, and only
the differences between outcomes remain. A source whose columns are swapped is closer to the others when its outcomes
are permuted. How close is close enough is measured on the source itself, because sources round and lag differently.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.quality.check_failures import WHOLE_SEASON, Z_THRESHOLD
from ml.arrays import medians_of_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.quality.market_matrix import Array, Columns, Flags, MarketMatrix
    from ml.quotes import Market

MIN_ORDER_Z_SCORE = 8.0
"""Standard errors between the others' prices in two orders, above which a row shows which order a source has."""
MIN_LOG_ERROR = 0.01
"""In log price: prices have two decimals, so none is more precise."""
MEDIAN_ERROR_LENGTH = {2: 0.6745, 3: 1.1774}
"""The median length of a standard normal error in one and in two dimensions, by number of outcomes."""


class SourceKey(NamedTuple):
    """Where rows belong: a source in a market, from one import (0: polled; `WHOLE_SEASON`: all)."""

    market: Market
    import_id: int
    source: int


class SourceRows(NamedTuple):
    """Rows (k,) of a source: its centred log prices (k, n), the median of the others', and the number of others.

    `line` is the home team's handicap or the total, `observed_at` in microseconds. The median is NaN if there are no
    others.
    """

    event: NDArray[np.int32]
    line: Array
    log_prices: Array
    others_median: Array
    other_count: NDArray[np.intp]
    observed_at: NDArray[np.int64]


class OrderComparison(NamedTuple):
    """Decisive events, those in which the order is opposite, and the rows (k,) of the latter.

    Rows of one event count as little more than one: a line that is wrong for an hour is repeated at each move.
    """

    decisive_events: int
    opposed_events: int
    rows: NDArray[np.intp]

    @property
    def opposed_ratio(self) -> float:
        """The share of decisive events that are opposed."""
        return self.opposed_events / self.decisive_events if self.decisive_events else 0.0


class AgreementCollector:
    """Collects rows, matrix by matrix."""

    def __init__(self) -> None:
        self._rows: dict[SourceKey, list[SourceRows]] = defaultdict(list)

    def add(self, matrix: MarketMatrix, ticks: Columns) -> None:
        """Add each source's new prices of a matrix, with the median of the others'."""
        log_prices = _center_log_prices(matrix.price)
        is_complete: Flags = np.all(~np.isnan(log_prices), axis=2)
        other_count = is_complete.sum(axis=1)[:, None] - is_complete
        others_median = _medians_of_others(log_prices)
        rows = is_complete & matrix.is_due.any(axis=2)
        if not rows.any():
            return
        stated = matrix.tick.max(axis=(1, 2))
        event, line, observed_at = (ticks[name][stated] for name in ("event_id", "line_point", "observed_at"))
        origin = ticks["import_id"][matrix.tick.max(axis=2)]
        for import_id in np.unique(origin[rows]).tolist():
            for column, source in enumerate(matrix.books.tolist()):
                at = np.flatnonzero(rows[:, column] & (origin[:, column] == import_id))
                if len(at):
                    own, others, number = (v[at, column] for v in (log_prices, others_median, other_count))
                    source_rows = SourceRows(event[at], line[at], own, others, number, observed_at[at])
                    self._rows[SourceKey(matrix.market, import_id, source)].append(source_rows)

    def merge_imports(self) -> AgreementCollector:
        """The rows of all imports together."""
        whole = AgreementCollector()
        for key, some in self._rows.items():
            whole._rows[key._replace(import_id=WHOLE_SEASON)] += some
        return whole

    def rows(self) -> dict[SourceKey, SourceRows]:
        """All rows by source, in order of event, line and time."""
        return {key: _concatenate_rows(parts) for key, parts in sorted(self._rows.items())}


def _concatenate_rows(parts: list[SourceRows]) -> SourceRows:
    columns: Any = map(np.concatenate, zip(*parts, strict=True))
    return SourceRows(*columns)


def take_rows(rows: SourceRows, which: Flags | NDArray[np.intp]) -> SourceRows:
    """A subset of the rows."""
    columns: Any = (column[which] for column in rows)
    return SourceRows(*columns)


def compare_orders(rows: SourceRows) -> OrderComparison:
    """The events that show the order of a source's outcomes, and those in which it differs from the others'.

    Decisive are events whose rows are clear by themselves; all events, if together they clearly favour another order.
    """
    orders, similarity = outcome_orders(rows), _order_similarity(rows)
    order_distance = np.stack(
        [_vector_lengths(rows.others_median[:, order] - rows.others_median) for order in orders], axis=1
    )
    error = _price_error(rows, similarity)
    # permuted, a row is as far from the others' median as that is from itself in the other order
    is_clear: Flags = order_distance[:, 1:] > MIN_ORDER_Z_SCORE * error
    is_decisive: Flags = np.asarray(is_clear.any(axis=1))
    is_opposed: Flags = np.asarray((is_clear & (similarity[:, 1:] > similarity[:, :1])).any(axis=1))
    if order := _find_better_order(rows, similarity):
        is_decisive, is_opposed = np.ones(len(similarity), np.bool_), similarity[:, order] > similarity[:, 0]
    events, opposed_events = events_mostly_wrong(rows.event[is_decisive], is_opposed[is_decisive])
    return OrderComparison(
        events, len(opposed_events), np.flatnonzero(is_opposed & np.isin(rows.event, opposed_events))
    )


def price_error(rows: SourceRows) -> float:
    """The standard error of a source in log price, by its distance from the others in the nearest order."""
    return _price_error(rows, _order_similarity(rows))


def _price_error(rows: SourceRows, similarity: Array) -> float:
    squares = (rows.log_prices**2).sum(axis=1) + (rows.others_median**2).sum(axis=1)
    nearest_distance = np.sqrt(np.maximum(squares - 2 * similarity.max(axis=1), 0))
    return max(float(np.median(nearest_distance)) / MEDIAN_ERROR_LENGTH[rows.log_prices.shape[1]], MIN_LOG_ERROR)


def _order_similarity(rows: SourceRows) -> Array:
    """The inner products (k, orders) of a source's prices, in every order, with the median of the others'."""
    products = [(rows.log_prices[:, order] * rows.others_median).sum(axis=1) for order in outcome_orders(rows)]
    return np.stack(products, axis=1)


def events_mostly_wrong(event: NDArray[np.int32], wrong: Flags) -> tuple[int, NDArray[np.int32]]:
    """The number of events, and those in which at least half of the rows (k,) are wrong."""
    events, number = np.unique(event, return_inverse=True)
    share = np.bincount(number, wrong) / np.bincount(number) if len(event) else np.empty(0)
    return len(events), events[share >= 0.5]  # noqa: PLR2004


def _find_better_order(rows: SourceRows, fit: Array) -> int:
    """The order that fits all events together significantly better than the stated one; 0 if none does."""
    _, number = np.unique(rows.event, return_inverse=True)
    gains = [np.bincount(number, fit[:, order] - fit[:, 0]) / np.bincount(number) for order in range(fit.shape[1])]
    scores = [gain.mean() * np.sqrt(len(gain)) / max(gain.std(), 1e-12) for gain in gains]
    best = int(np.argmax(scores))
    return best if scores[best] > Z_THRESHOLD else 0


def outcome_orders(rows: SourceRows) -> list[list[int]]:
    """Every order of the outcomes, the stated one first."""
    return [list(order) for order in permutations(range(rows.log_prices.shape[1]))]


def _center_log_prices(price: Array) -> Array:
    logs = np.log(price)
    centred: Array = logs - logs.mean(axis=2, keepdims=True)
    return centred


def _medians_of_others(log_prices: Array) -> Array:
    """The median of the others (M, B, n); with two outcomes, one is the other's negative."""
    if log_prices.shape[2] == 2:  # noqa: PLR2004
        first = medians_of_others(log_prices[..., 0])
        return np.stack([first, -first], axis=2)
    return np.stack([medians_of_others(log_prices[..., outcome]) for outcome in range(log_prices.shape[2])], axis=2)


def _vector_lengths(vectors: Array) -> Array:
    length: Array = np.sqrt((vectors**2).sum(axis=1))
    return length
