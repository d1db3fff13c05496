"""Detection of movements in one sport's polls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.movement import book_status, market
from ml.movement.leadlag import LeadLag, LeadLagCounter
from ml.movement.matrix import MoveMatrix
from ml.movement.rules import BookStatus, Movement, MovementKind, MovementRules
from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from ml.movement.matrix import ChangedCells
    from ml.quotes import Micros, PollChanges

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]

_NO_ROWS = np.empty(0, np.intp)
_KIND_BY_STATUS = {
    BookStatus.LAGGING: MovementKind.LAGGING,
    BookStatus.STALE: MovementKind.STALE,
    BookStatus.HALTED: MovementKind.HALTED,
}


class BookMoves(NamedTuple):
    """The books (m,) whose position changed with a poll, and their positions: see `ml.movement.matrix`."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    book: NDArray[np.int64]
    before: Array
    after: Array


class MovementDetector:
    """Takes every poll of a sport in order; its memory per market is fixed.

    `clone_of` maps a book to the one it copies: together they count as one. Covers the markets that the scorer values,
    until their events start.
    """

    def __init__(self, rules: MovementRules | None = None, clone_of: Mapping[int, int] | None = None) -> None:
        self.rules = rules or MovementRules()
        self._clone_of = dict(clone_of or {})
        self._matrix = MoveMatrix(self.rules.log_odds_per_point)
        self._lead_lag_counter = LeadLagCounter(self.rules.lead_half_life_seconds)
        self.last_moves = self._to_book_moves((_NO_ROWS, _NO_ROWS), np.empty(0), np.empty(0))
        """All moves of the last poll, however small."""

    @property
    def nbytes(self) -> int:
        """Size of the matrix in bytes."""
        return self._matrix.nbytes

    def lead_lag(self) -> LeadLag:
        """Counts of who moved first so far."""
        return self._lead_lag_counter.result(tuple(self._matrix.column_by_book))

    def book_statuses(self, event: int, market_id: int) -> dict[int, BookStatus]:
        """Each book's status in a market at the last poll; books that never offered it are left out."""
        books = np.array(list(self._matrix.column_by_book), np.int64)
        rows, columns = self._matrix.find(
            np.full_like(books, event), np.full_like(books, market_id), books, create=False
        )
        if not len(books) or rows[0] < 0:
            return {}
        codes = self._matrix.cell["status"][rows, columns].tolist()
        return {b: BookStatus(c) for b, c in zip(books.tolist(), codes, strict=True) if c != BookStatus.ABSENT}

    def apply_poll(self, changes: PollChanges) -> list[Movement]:
        """Apply one poll; return the movements that begin with it."""
        now = changes.observed_at
        upcoming = self._matrix.release_events(changes.starts, now)
        changed = self._matrix.apply_quotes(changes.quotes.take(np.isin(changes.quotes.event, upcoming)))
        self.last_moves = self._to_book_moves((_NO_ROWS, _NO_ROWS), np.empty(0), np.empty(0))
        movements = list(self._detect_market_moves(changed, now)) if len(changed.rows) else []
        if len(changes.confirmations):  # imported history has no confirmations
            book_status.update_confirmations(self._matrix, changes.confirmations, self.rules, now)
            movements += self._detect_status_changes(now)
        return movements

    def _detect_market_moves(self, changed: ChangedCells, now: Micros) -> Iterator[Movement]:
        moved = self._extend_runs(changed, now)
        clone_groups = self._clone_groups()
        independent = clone_groups.argmax(axis=0)
        rows = changed.changed_rows
        move = market.update_levels(self._matrix, rows, changed.positions_before, independent)
        self._matrix.cell["level_at_move"][moved] = self._matrix.row["level"][moved[0]]
        started, direction, movers = market.detect_steam(self._matrix, rows, clone_groups, self.rules, now)
        yield from map(self._steam_movement, started, direction, movers, [now] * len(started))
        for row, net in zip(*market.detect_drift(self._matrix, rows, move, self.rules, now), strict=True):
            yield self._movement(MovementKind.DRIFT, row, now, net)
        for row, back in zip(*market.detect_reversals(self._matrix, rows, self.rules), strict=True):
            yield self._movement(MovementKind.REVERSAL, row, now, back)

    def _extend_runs(self, changed: ChangedCells, now: Micros) -> tuple[Index, Index]:
        """Extend or start the runs of the books that moved; return the cells that moved or are new."""
        cell, at = self._matrix.cell, (changed.rows, changed.columns)
        new, old = self._matrix.positions(*at), cell["position"][at]
        is_new = np.isfinite(new) & (new != old)
        at, new, old = (at[0][is_new], at[1][is_new]), new[is_new], old[is_new]
        self.last_moves = self._to_book_moves(at, old, new)
        move = np.where(np.isnan(old), 0.0, new - old)
        run = cell["run_size"][at]
        longer = (np.sign(run) == np.sign(move)) & (
            now - cell["run_started_at"][at] <= self.rules.window_seconds * MICROS_PER_SECOND
        )
        total = np.where(longer, run + move, move)
        crossing = (np.abs(total) >= self.rules.min_move) & ~(longer & (np.abs(run) >= self.rules.min_move))
        cell["position"][at], cell["run_size"][at] = new, total
        cell["run_started_at"][at] = np.where(longer, cell["run_started_at"][at], now)
        crossed = at[0][crossing], at[1][crossing]
        previous = cell["large_move_at"][crossed]
        cell["large_move_at"][crossed], cell["direction"][crossed] = now, np.sign(total[crossing])
        self._count_lead_lag(*crossed, previous, now)
        return at

    def _to_book_moves(self, at: tuple[Index, Index], old: Array, new: Array) -> BookMoves:
        had = np.isfinite(old)
        row, book = self._matrix.row[at[0][had]], np.array(list(self._matrix.column_by_book), np.int64)
        return BookMoves(row["event"], row["market"], book[at[1][had]], old[had], new[had])

    def _count_lead_lag(self, rows: Index, columns: Index, previous: NDArray[np.int64], now: Micros) -> None:
        """Count the books that have just made a large move as followers of those that made it since their `previous`
        one.
        """
        large_move_at, direction = (self._matrix.cell[name][rows] for name in ("large_move_at", "direction"))
        own, seconds_ago = np.arange(len(rows)), (now - large_move_at) / MICROS_PER_SECOND
        alike = (large_move_at > previous[:, None]) & (direction == direction[own, columns][:, None])
        alike &= seconds_ago <= self.rules.lead_window_seconds
        alike[own, columns] = False
        if len(rows):
            self._lead_lag_counter.count(
                now, columns, alike & (seconds_ago > 0), alike & (seconds_ago == 0), seconds_ago
            )

    def _clone_groups(self) -> Mask:
        """Which books (B, O) form a clone group; the first one seen represents the group in medians."""
        clone_group = [self._clone_of.get(book, book) for book in self._matrix.column_by_book]
        same: Mask = np.array(clone_group)[:, None] == np.array(list(dict.fromkeys(clone_group)))
        return same

    def _steam_movement(self, row: int, direction: int, movers: Mask, now: Micros) -> Movement:
        cell, books = self._matrix.cell[row], np.array(list(self._matrix.column_by_book))
        order = np.argsort(np.where(movers, cell["large_move_at"], now + 1), kind="stable")[: movers.sum()]
        idle = np.isfinite(cell["position"]) & ~np.isnan(cell["price"]).any(axis=-1) & ~movers
        size = float(direction * np.median(np.abs(cell["run_size"][movers])))
        in_order, waiting = tuple(books[order].tolist()), tuple(books[idle].tolist())
        return self._movement(MovementKind.STEAM, row, now, size, movers=in_order, waiting=waiting)

    def _movement(
        self, kind: MovementKind, row: int, now: Micros, size: float,
        book: int | None = None, movers: tuple[int, ...] = (), waiting: tuple[int, ...] = (),
    ) -> Movement:  # fmt: skip
        record = self._matrix.row[row]
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

    def _detect_status_changes(self, now: Micros) -> Iterator[Movement]:
        """Changes of book status."""
        rows, before, after = book_status.classify_books(self._matrix, self.rules, now)
        books = list(self._matrix.column_by_book)
        stopped = (before == BookStatus.STALE) | (before == BookStatus.HALTED)
        is_reported = (before != after) & ((after >= BookStatus.LAGGING) | (stopped & (after == BookStatus.STEADY)))
        for i, column in np.argwhere(is_reported).tolist():
            kind = _KIND_BY_STATUS.get(after[i, column], MovementKind.RESUMED)
            missed = self._matrix.row["level"][rows[i]] - self._matrix.cell["level_at_move"][rows[i], column]
            size = float(missed) if kind is MovementKind.LAGGING else 0.0
            yield self._movement(kind, int(rows[i]), now, size, books[column])
