"""Whether the sources of a market agree: each book, and the recorded best price, against the middle of the others.

Prices are compared as centred logarithms: a margin, even a wrong scale, moves all outcomes alike and vanishes, and what
is left tells the outcomes apart. A source whose columns are exchanged is nearer to the others when its outcomes are put
in another order; how near is near enough is measured on the source itself, because sources round and wait differently.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.quality.suspicions import SEASON, SURE
from ml.medians import medians_of_others

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.quality.boards import Array, Board, Columns, Flags
    from ml.quotes import Market

CLEAR = 8.0
"""Standard errors between the others' prices in two orders, from which on a row tells which of them a source has."""
LEAST_ERROR = 0.01
"""In the logarithm: prices have two decimals, and nobody is surer than that."""
RAYLEIGH = {2: 0.6745, 3: 1.1774}
"""The median length of a normal error in one and in two dimensions, by number of outcomes."""


class Key(NamedTuple):
    """Whose rows they are: a source in a market, from one import (0: polled; `SEASON`: all)."""

    market: Market
    import_id: int
    source: int


class Rows(NamedTuple):
    """Rows (k,) of a source: its centred log prices (k, n), the middle of the others', and how many others there are.

    `line` is the home team's handicap or the total. What the others say is NaN where there are none.
    """

    event: NDArray[np.int32]
    line: Array
    own: Array
    usual: Array
    others: NDArray[np.intp]


class Compared(NamedTuple):
    """Events that tell the order of a source's outcomes, and the rows (k,) of those where it is another's, by half.

    Rows of one event are hardly more evidence than one: a line that is wrong for an hour is repeated with each move.
    """

    told: int
    opposed: int
    rows: NDArray[np.intp]

    @property
    def share(self) -> float:
        """Of the events that tell."""
        return self.opposed / self.told if self.told else 0.0


class Agreement:
    """Collects rows, board by board."""

    def __init__(self) -> None:
        self._rows: dict[Key, list[Rows]] = defaultdict(list)

    def add(self, board: Board, ticks: Columns) -> None:
        """Keep what each source of a board says, where it said something new, beside what the others say."""
        own = _centred(board.price)
        told: Flags = np.all(~np.isnan(own), axis=2)
        others = told.sum(axis=1)[:, None] - told
        usual = _usual(own)
        rows = told & board.due.any(axis=2)
        if not rows.any():
            return
        stated = board.tick.max(axis=(1, 2))
        event, line = ticks["event_id"][stated], ticks["line_point"][stated]
        origin = ticks["import_id"][board.tick.max(axis=2)]
        for import_id in np.unique(origin[rows]).tolist():
            for column, source in enumerate(board.books.tolist()):
                at = np.flatnonzero(rows[:, column] & (origin[:, column] == import_id))
                if len(at):
                    found = Rows(event[at], line[at], own[at, column], usual[at, column], others[at, column])
                    self._rows[Key(board.market, import_id, source)].append(found)

    def together(self) -> Agreement:
        """The same, whichever import the rows came from."""
        whole = Agreement()
        for key, some in self._rows.items():
            whole._rows[key._replace(import_id=SEASON)] += some
        return whole

    def rows(self) -> dict[Key, Rows]:
        """All rows by source, each source's in order of event, line and time."""
        return {key: _joined(some) for key, some in sorted(self._rows.items())}


def _joined(some: list[Rows]) -> Rows:
    columns: Any = map(np.concatenate, zip(*some, strict=True))
    return Rows(*columns)


def take(rows: Rows, which: Flags | NDArray[np.intp]) -> Rows:
    """Some of the rows."""
    columns: Any = (column[which] for column in rows)
    return Rows(*columns)


def compare(rows: Rows) -> Compared:
    """Which events tell the order of a source's outcomes, and in which it is not the others'.

    Those of which the rows are clear by themselves; all, if all together are clear about another order.
    """
    n, orders = rows.own.shape[1], orders_of(rows)
    fit = np.stack([(rows.own[:, order] * rows.usual).sum(axis=1) for order in orders], axis=1)
    apart = np.stack([_length(rows.usual[:, order] - rows.usual) for order in orders], axis=1)
    squares = (rows.own**2).sum(axis=1) + (rows.usual**2).sum(axis=1)
    nearest = np.sqrt(np.maximum(squares - 2 * fit.max(axis=1), 0))
    error = max(float(np.median(nearest)) / RAYLEIGH[n], LEAST_ERROR)
    # by the order that undoes it, a row lies as far from the others' as they lie from themselves in that order
    clear: Flags = apart[:, 1:] > CLEAR * error
    told: Flags = np.asarray(clear.any(axis=1))
    opposed: Flags = np.asarray((clear & (fit[:, 1:] > fit[:, :1])).any(axis=1))
    if order := _better(rows, fit):
        told, opposed = np.ones(len(fit), np.bool_), fit[:, order] > fit[:, 0]
    events, wrong = by_half(rows.event[told], opposed[told])
    return Compared(events, len(wrong), np.flatnonzero(opposed & np.isin(rows.event, wrong)))


def by_half(event: NDArray[np.int32], wrong: Flags) -> tuple[int, NDArray[np.int32]]:
    """How many events there are, and those of which at least half of the rows (k,) are wrong."""
    events, number = np.unique(event, return_inverse=True)
    share = np.bincount(number, wrong) / np.bincount(number) if len(event) else np.empty(0)
    return len(events), events[share >= 0.5]  # noqa: PLR2004


def _better(rows: Rows, fit: Array) -> int:
    """The order that fits all events together better than the stated one, beyond chance; 0 if none does."""
    _, number = np.unique(rows.event, return_inverse=True)
    gains = [np.bincount(number, fit[:, order] - fit[:, 0]) / np.bincount(number) for order in range(fit.shape[1])]
    scores = [gain.mean() * np.sqrt(len(gain)) / max(gain.std(), 1e-12) for gain in gains]
    best = int(np.argmax(scores))
    return best if scores[best] > SURE else 0


def orders_of(rows: Rows) -> list[list[int]]:
    """Every order of the outcomes, the stated one first."""
    return [list(order) for order in permutations(range(rows.own.shape[1]))]


def _centred(price: Array) -> Array:
    logs = np.log(price)
    centred: Array = logs - logs.mean(axis=2, keepdims=True)
    return centred


def _usual(own: Array) -> Array:
    """The middle of the others (M, B, n); of two outcomes the one is the other's negative."""
    if own.shape[2] == 2:  # noqa: PLR2004
        first = medians_of_others(own[..., 0])
        return np.stack([first, -first], axis=2)
    return np.stack([medians_of_others(own[..., outcome]) for outcome in range(own.shape[2])], axis=2)


def _length(vectors: Array) -> Array:
    length: Array = np.sqrt((vectors**2).sum(axis=1))
    return length
