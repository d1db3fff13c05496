"""Ticks as boards: what all books offered on a line, whenever something of it changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.quarantine import BEST
from ml.quotes import OUTCOMES_OF, Market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Columns = dict[str, NDArray[Any]]

LINE = ("event_id", "line_point")
MOMENT = (*LINE, "observed_at")


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """One market: decimal `price` (M, B, n) at M moments of its lines at `books` (B,), NaN where none stands.

    `tick` is the index of the tick that stated a price at that very moment, -1 where it stood before; `due` are those
    to be judged, `decided` (M, B, n) those that a person has said are right. `whole` (M, B) are the books with all
    outcomes, the recorded best price not being one.
    """

    market: Market
    books: NDArray[np.int16]
    price: Array
    tick: NDArray[np.intp]
    due: Flags
    whole: Flags
    decided: Flags

    @property
    def best(self) -> int | None:
        """The column of the recorded best price."""
        return int(np.argmax(self.books == BEST)) if BEST in self.books else None

    def without(self, ticks: list[int]) -> Board:
        """The same without some prices."""
        price = np.where(np.isin(self.tick, ticks), np.nan, self.price)
        return replace(self, price=price, whole=_whole(price, self.books))

    def undecided(self) -> Board:
        """The same without what a person has decided on."""
        if not self.decided.any():
            return self
        price = np.where(self.decided, np.nan, self.price)
        return replace(self, price=price, whole=_whole(price, self.books))


def boards(ticks: Columns) -> Iterator[Board]:
    """The boards of ticks that are ordered by market, line and time (`edge_assets.store.quarantine.TYPES`)."""
    for market in OUTCOMES_OF:
        first, last = np.searchsorted(ticks["market_id"], [market, market + 1])
        if first < last:
            yield _board(market, {name: column[first:last] for name, column in ticks.items()}, int(first))


def _board(market: Market, ticks: Columns, offset: int) -> Board:
    moment, line = _numbered(ticks, MOMENT), _numbered(ticks, LINE)
    books, book = np.unique(ticks["book_id"], return_inverse=True)
    outcome = np.argmax(ticks["outcome_id"][:, None] == np.array(OUTCOMES_OF[market]), axis=1)
    stated = np.full((moment[-1] + 1, len(books), len(OUTCOMES_OF[market])), -1, np.intp)
    stated[moment, book, outcome] = np.arange(len(moment))
    begins = np.flatnonzero(np.diff(line, prepend=-1))[line[np.flatnonzero(np.diff(moment, prepend=-1))]]
    standing = np.maximum.accumulate(stated, axis=0)
    price = np.where(standing >= begins[:, None, None], ticks["price"][standing], np.nan)
    due = (stated >= 0) & (ticks["due"][stated] > 0) & ~np.isnan(price)
    decided = (ticks["due"][standing] == 0) & ~np.isnan(price)
    tick = np.where(stated < 0, -1, stated + offset)
    return Board(market, books, price, tick, due, _whole(price, books), decided)


def _numbered(ticks: Columns, names: tuple[str, ...]) -> NDArray[np.intp]:
    """The number of each tick's group; groups are next to each other."""
    differs = np.zeros(len(ticks["event_id"]), np.bool_)
    differs[1:] = np.any([ticks[name][1:] != ticks[name][:-1] for name in names], axis=0)
    return np.cumsum(differs)


def _whole(price: Array, books: NDArray[np.int16]) -> Flags:
    whole: Flags = ~np.isnan(price).any(axis=2) & (books != BEST)
    return whole
