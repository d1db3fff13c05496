"""The stream of polls of one sport, watched for movements."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.movement import market, standing
from ml.movement.board import Board
from ml.movement.leadlag import LeadLag, LeadLagCounter
from ml.movement.rules import Movement, MovementKind, MovementRules, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ml.movement.board import Changed
    from ml.quotes import Micros, PollChanges

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]

SECOND = 1_000_000
_NONE = np.empty(0, np.intp)
_KIND = {
    Standing.LAGGING: MovementKind.LAGGING,
    Standing.STALE: MovementKind.STALE,
    Standing.HALTED: MovementKind.HALTED,
}


class BookMoves(NamedTuple):
    """The books whose position changed with a poll (m,), and their positions: see `ml.movement.board`."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    book: NDArray[np.int64]
    before: Array
    after: Array


class MovementWatch:
    """Feed it every poll of a sport in order; what it remembers of a market has a fixed size.

    `clone_of` maps a book to the one it copies: together they count as one. Markets are those the scorer values,
    before their events begin.
    """

    def __init__(self, rules: MovementRules | None = None, clone_of: Mapping[int, int] | None = None) -> None:
        self.rules = rules or MovementRules()
        self._clone_of = dict(clone_of or {})
        self._board = Board(self.rules.per_point)
        self._order = LeadLagCounter(self.rules.lead_half_life)
        self.moves = self._book_moves((_NONE, _NONE), np.empty(0), np.empty(0))
        """What the last poll moved, however little."""

    @property
    def nbytes(self) -> int:
        """Memory of what is remembered of the markets."""
        return self._board.nbytes

    def lead_lag(self) -> LeadLag:
        """Who moved first so far."""
        return self._order.result(tuple(self._board.books))

    def standings(self, event: int, of_market: int) -> dict[int, Standing]:
        """How each book stood in a market at the last poll; books that never offered it are left out."""
        books = np.array(list(self._board.books), np.int64)
        rows, columns = self._board.find(
            np.full_like(books, event), np.full_like(books, of_market), books, create=False
        )
        if not len(books) or rows[0] < 0:
            return {}
        codes = self._board.cell["standing"][rows, columns].tolist()
        return {b: Standing(c) for b, c in zip(books.tolist(), codes, strict=True) if c != Standing.ABSENT}

    def step(self, changes: PollChanges) -> list[Movement]:
        """Take in one poll; return what has begun with it."""
        now = changes.observed_at
        coming = self._board.release(changes.starts, now)
        changed = self._board.apply(changes.quotes.take(np.isin(changes.quotes.event, coming)))
        self.moves = self._book_moves((_NONE, _NONE), np.empty(0), np.empty(0))
        movements = list(self._moved(changed, now)) if len(changed.rows) else []
        if len(changes.times):  # imported history says nothing of who confirmed what
            standing.confirm(self._board, changes.times, self.rules, now)
            movements += self._stood(now)
        return movements

    def _moved(self, changed: Changed, now: Micros) -> Iterator[Movement]:
        moved = self._run(changed, now)
        origin = self._origins()
        independent = origin.argmax(axis=0)
        rows = changed.distinct
        move = market.advance(self._board, rows, changed.before, independent)
        self._board.cell["level"][moved] = self._board.row["level"][moved[0]]
        started, direction, movers = market.steam(self._board, rows, origin, self.rules, now)
        yield from map(self._steam, started, direction, movers, [now] * len(started))
        for row, net in zip(*market.drift(self._board, rows, move, self.rules, now), strict=True):
            yield self._movement(MovementKind.DRIFT, row, now, net)
        for row, back in zip(*market.reversal(self._board, rows, self.rules), strict=True):
            yield self._movement(MovementKind.REVERSAL, row, now, back)

    def _run(self, changed: Changed, now: Micros) -> tuple[Index, Index]:
        """Extend or begin the runs of the books that moved; return the cells that moved or are new."""
        cell, at = self._board.cell, (changed.rows, changed.columns)
        new, old = self._board.positions(*at), cell["position"][at]
        news = np.isfinite(new) & (new != old)
        at, new, old = (at[0][news], at[1][news]), new[news], old[news]
        self.moves = self._book_moves(at, old, new)
        move = np.where(np.isnan(old), 0.0, new - old)
        run = cell["run"][at]
        longer = (np.sign(run) == np.sign(move)) & (now - cell["begun"][at] <= self.rules.window * SECOND)
        total = np.where(longer, run + move, move)
        crossing = (np.abs(total) >= self.rules.move) & ~(longer & (np.abs(run) >= self.rules.move))
        cell["position"][at], cell["run"][at] = new, total
        cell["begun"][at] = np.where(longer, cell["begun"][at], now)
        crossed = at[0][crossing], at[1][crossing]
        previous = cell["crossed"][crossed]
        cell["crossed"][crossed], cell["lean"][crossed] = now, np.sign(total[crossing])
        self._count(*crossed, previous, now)
        return at

    def _book_moves(self, at: tuple[Index, Index], old: Array, new: Array) -> BookMoves:
        had = np.isfinite(old)
        row, book = self._board.row[at[0][had]], np.array(list(self._board.books), np.int64)
        return BookMoves(row["event"], row["market"], book[at[1][had]], old[had], new[had])

    def _count(self, rows: Index, columns: Index, previous: NDArray[np.int64], now: Micros) -> None:
        """Set the books that have just made a large move behind those that made it since their `previous` one."""
        crossed, lean = (self._board.cell[name][rows] for name in ("crossed", "lean"))
        own, ago = np.arange(len(rows)), (now - crossed) / SECOND
        alike = (crossed > previous[:, None]) & (lean == lean[own, columns][:, None])
        alike &= ago <= self.rules.lead_window
        alike[own, columns] = False
        if len(rows):
            self._order.count(now, columns, alike & (ago > 0), alike & (ago == 0), ago)

    def _origins(self) -> Mask:
        """Which books (B, O) are one; the first seen of each stands for it in medians."""
        origin = [self._clone_of.get(book, book) for book in self._board.books]
        same: Mask = np.array(origin)[:, None] == np.array(list(dict.fromkeys(origin)))
        return same

    def _steam(self, row: int, direction: int, movers: Mask, now: Micros) -> Movement:
        cell, books = self._board.cell[row], np.array(list(self._board.books))
        order = np.argsort(np.where(movers, cell["crossed"], now + 1), kind="stable")[: movers.sum()]
        idle = np.isfinite(cell["position"]) & ~np.isnan(cell["price"]).any(axis=-1) & ~movers
        size = float(direction * np.median(np.abs(cell["run"][movers])))
        in_order, waiting = tuple(books[order].tolist()), tuple(books[idle].tolist())
        return self._movement(MovementKind.STEAM, row, now, size, movers=in_order, waiting=waiting)

    def _movement(
        self, kind: MovementKind, row: int, now: Micros, size: float,
        book: int | None = None, movers: tuple[int, ...] = (), waiting: tuple[int, ...] = (),
    ) -> Movement:  # fmt: skip
        record = self._board.row[row]
        return Movement(
            kind,
            int(record["event"]),
            int(record["market"]),
            now,
            int(np.sign(size)),
            abs(float(size)),
            book,
            movers,
            waiting,
        )

    def _stood(self, now: Micros) -> Iterator[Movement]:
        """Changes of standing."""
        rows, before, after = standing.judge(self._board, self.rules, now)
        books = list(self._board.books)
        stopped = (before == Standing.STALE) | (before == Standing.HALTED)
        told = (before != after) & ((after >= Standing.LAGGING) | (stopped & (after == Standing.STEADY)))
        for i, column in np.argwhere(told).tolist():
            kind = _KIND.get(after[i, column], MovementKind.RESUMED)
            missed = self._board.row["level"][rows[i]] - self._board.cell["level"][rows[i], column]
            size = float(missed) if kind is MovementKind.LAGGING else 0.0
            yield self._movement(kind, int(rows[i]), now, size, books[column])
