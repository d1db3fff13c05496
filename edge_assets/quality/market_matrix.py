"""Ticks as matrices: the prices of all books on a line, at each time one of them changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from ml.quotes import MARKET_OUTCOMES, Market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Columns = dict[str, NDArray[Any]]

LINE_COLUMNS = ("event_id", "line_point")
LINE_STATE_COLUMNS = (*LINE_COLUMNS, "observed_at")


@dataclass(frozen=True, slots=True, eq=False)
class MarketMatrix:
    """One market: decimal `price` (M, B, n) at M times of its lines at `books` (B,), NaN where none is on offer.

    `tick` is the index of the tick that stated a price at that time, -1 if it is older; `is_due` marks ticks to be
    checked, `decided` (M, B, n) prices that a person has accepted. `is_complete` (M, B) marks books with all outcomes,
    except the recorded best price.
    """

    market: Market
    books: NDArray[np.int16]
    price: Array
    tick: NDArray[np.intp]
    is_due: Flags
    is_complete: Flags
    decided: Flags

    @property
    def best_column(self) -> int | None:
        """The column of the recorded best price."""
        return int(np.argmax(self.books == BEST_PRICE_BOOK)) if BEST_PRICE_BOOK in self.books else None

    def without_ticks(self, ticks: list[int]) -> MarketMatrix:
        """The matrix without the prices of these ticks."""
        price = np.where(np.isin(self.tick, ticks), np.nan, self.price)
        return replace(self, price=price, is_complete=_complete_books(price, self.books))

    def without_decided_prices(self) -> MarketMatrix:
        """The matrix without the prices that a person has decided on."""
        if not self.decided.any():
            return self
        price = np.where(self.decided, np.nan, self.price)
        return replace(self, price=price, is_complete=_complete_books(price, self.books))


def build_matrices(ticks: Columns) -> Iterator[MarketMatrix]:
    """The matrices of ticks ordered by market, line and time (`edge_assets.store.analytics.quarantine.TYPES`)."""
    for market in MARKET_OUTCOMES:
        first, last = np.searchsorted(ticks["market_id"], [market, market + 1])
        if first < last:
            yield _build_matrix(market, {name: column[first:last] for name, column in ticks.items()}, int(first))


def _build_matrix(market: Market, ticks: Columns, offset: int) -> MarketMatrix:
    row, line = _group_ids(ticks, LINE_STATE_COLUMNS), _group_ids(ticks, LINE_COLUMNS)
    books, book = np.unique(ticks["book_id"], return_inverse=True)
    outcome = np.argmax(ticks["outcome_id"][:, None] == np.array(MARKET_OUTCOMES[market]), axis=1)
    stated_tick = np.full((row[-1] + 1, len(books), len(MARKET_OUTCOMES[market])), -1, np.intp)
    stated_tick[row, book, outcome] = np.arange(len(row))
    first_row = np.flatnonzero(np.diff(line, prepend=-1))[line[np.flatnonzero(np.diff(row, prepend=-1))]]
    latest_tick = np.maximum.accumulate(stated_tick, axis=0)
    price = np.where(latest_tick >= first_row[:, None, None], ticks["price"][latest_tick], np.nan)
    due = (stated_tick >= 0) & (ticks["due"][stated_tick] > 0) & ~np.isnan(price)
    decided = (ticks["due"][latest_tick] == 0) & ~np.isnan(price)
    tick = np.where(stated_tick < 0, -1, stated_tick + offset)
    return MarketMatrix(market, books, price, tick, due, _complete_books(price, books), decided)


def _group_ids(ticks: Columns, columns: tuple[str, ...]) -> NDArray[np.intp]:
    """The number of each tick's group; groups are contiguous."""
    differs = np.zeros(len(ticks["event_id"]), np.bool_)
    differs[1:] = np.any([ticks[name][1:] != ticks[name][:-1] for name in columns], axis=0)
    return np.cumsum(differs)


def _complete_books(price: Array, books: NDArray[np.int16]) -> Flags:
    is_complete: Flags = ~np.isnan(price).any(axis=2) & (books != BEST_PRICE_BOOK)
    return is_complete
