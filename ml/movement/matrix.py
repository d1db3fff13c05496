"""The state of every book in every market: one fixed-size cell per (market, book), one record per market.

A book's *position* is its log-odds of the first outcome against the second, log(second price / first price), which its
margin hardly affects; a point is converted to log-odds and added. Nothing grows with time: rows are recycled when their
event has started or is no longer listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.quotes import MARKET_OUTCOMES, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.quotes import EventStarts, Micros, QuoteBatch

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Mask = NDArray[np.bool_]
    Side = NDArray[np.int8]
    Points = NDArray[np.float32]

CELL_DTYPE = np.dtype(
    [
        ("price", "f8", 2), ("point", "f4"), ("position", "f8"),
        ("run_size", "f8"), ("run_started_at", "i8"), ("large_move_at", "i8"), ("direction", "i1"),
        ("confirmed_at", "i8"), ("interval_seconds", "f4"), ("status", "i1"), ("level_at_move", "f8"),
    ]
)  # fmt: skip
"""`run`: the sum of moves in one direction since `run_started_at`; `large_move_at`: when it became large, in
`direction`; `interval_seconds` between confirmations; `level_at_move`: the market's level when the book last moved."""
ROW_DTYPE = np.dtype(
    [
        ("event", "i4"), ("market", "i2"), ("used", "?"), ("median", "f8"), ("level", "f8"), ("drift_at", "i8"),
        ("net", "f8"), ("path_length", "f8"), ("squared_moves", "f8"), ("drift_direction", "i1"),
        ("low", "f8"), ("high", "f8"), ("leg_direction", "i1"), ("steam_direction", "i1"), ("steam_at", "i8"),
    ]
)  # fmt: skip
"""`level`: the sum of the market's moves; `net`, `path_length`, `squared_moves`: its decayed sums of moves, of their
sizes and squares; `low`, `high`, `leg_direction`: the extremes since the last turn, and which was reached last."""

_SIDE_INDEX = np.full((max(MARKET_OUTCOMES) + 1, max(Outcome) + 1), -1, np.int8)
for _market, _outcomes in MARKET_OUTCOMES.items():
    _SIDE_INDEX[_market, _outcomes[0]], _SIDE_INDEX[_market, _outcomes[1]] = 0, 1


class ChangedCells(NamedTuple):
    """Cells (c,) that a poll changed, and the positions of all books in their rows before it (r, B)."""

    rows: Index
    columns: Index
    changed_rows: Index
    positions_before: Array


class MoveMatrix:
    """Cells (M, B) of `CELL_DTYPE` and rows (M,) of `ROW_DTYPE`, found by (event, market) and book."""

    def __init__(self, log_odds_per_point: Mapping[int, float]) -> None:
        self.column_by_book: dict[int, int] = {}
        self._row_by_market: dict[tuple[int, int], int] = {}
        self._free: list[int] = []
        self._cells = _empty_cells(64, 16)
        self.row = np.zeros(64, ROW_DTYPE)
        self._log_odds_per_point = np.zeros(max(MARKET_OUTCOMES) + 1)
        for market, slope in log_odds_per_point.items():
            self._log_odds_per_point[market] = -slope if market == Market.SPREADS else slope

    @property
    def cell(self) -> NDArray[np.void]:
        """The cells of the books seen so far (M, B)."""
        return self._cells[:, : len(self.column_by_book)]

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return self._cells.nbytes + self.row.nbytes

    def __len__(self) -> int:
        return len(self._row_by_market)

    def release_events(self, starts: EventStarts, now: Micros) -> NDArray[np.int32]:
        """Release the rows of events that are not listed or have started; return the upcoming events."""
        upcoming = starts.event[starts.commence_at > now]
        for row in np.flatnonzero(self.row["used"] & ~np.isin(self.row["event"], upcoming)).tolist():
            del self._row_by_market[int(self.row["event"][row]), int(self.row["market"][row])]
            self.row[row] = np.zeros((), ROW_DTYPE)
            self._cells[row] = _empty_cells(1, 1)[0, 0]
            self._free.append(row)
        return upcoming

    def apply_quotes(self, quotes: QuoteBatch) -> ChangedCells:
        """Write prices; a book keeps its line until it is withdrawn, and of several lines at once the first counts."""
        known = (quotes.market < len(_SIDE_INDEX)) & (quotes.outcome < _SIDE_INDEX.shape[1])
        side = np.where(known, _SIDE_INDEX[np.where(known, quotes.market, 0), np.where(known, quotes.outcome, 0)], -1)
        quotes, side = quotes.take(side >= 0), side[side >= 0]
        rows, columns = self.find(quotes.event, quotes.market, quotes.book, create=True)
        distinct = np.unique(rows)
        before = self.offered_positions(distinct)
        away = (quotes.market == Market.SPREADS) & (side == 1)
        point = np.where(np.isnan(quotes.point), 0, np.where(away, -quotes.point, quotes.point)).astype(np.float32)
        self._withdraw(np.isnan(quotes.price), rows, columns, side, point)
        self._set_prices(~np.isnan(quotes.price), rows, columns, side, point, quotes.price)
        cells = np.unique(rows * len(self.column_by_book) + columns)
        return ChangedCells(*np.divmod(cells, max(1, len(self.column_by_book))), distinct, before)

    def positions(self, rows: Index, columns: Index) -> Array:
        """Positions (c,) at current prices, NaN where a side is not offered."""
        cell = self.cell[rows, columns]
        first, second = cell["price"].T
        position: Array = np.log(second / first) + self._log_odds_per_point[self.row["market"][rows]] * cell["point"]
        return position

    def offered_positions(self, rows: Index) -> Array:
        """Positions (r, B) as last stored, NaN where a side is not offered."""
        return np.where(self.has_both_sides(rows), self.cell["position"][rows], np.nan)

    def has_both_sides(self, rows: Index) -> Mask:
        """Whether the books (r, B) offer both sides."""
        price = self.cell["price"][rows]
        both: Mask = np.isfinite(price[..., 0]) & np.isfinite(price[..., 1])
        return both

    def find(
        self, event: NDArray[Any], market: NDArray[Any], book: NDArray[Any], *, create: bool
    ) -> tuple[Index, Index]:
        """Rows and columns of (event, market, book); unknown ones are -1, or created."""
        pairs, inverse = np.unique(event.astype(np.int64) << 16 | market, return_inverse=True)
        keys = [(int(p >> 16), int(p & 0xFFFF)) for p in pairs]
        found = [self._ensure_row(key) if create else self._row_by_market.get(key, -1) for key in keys]
        books, book_inverse = np.unique(book, return_inverse=True)
        columns = [self._ensure_column(int(b)) if create else self.column_by_book.get(int(b), -1) for b in books]
        return np.array(found, np.intp)[inverse], np.array(columns, np.intp)[book_inverse]

    def _withdraw(self, gone: Mask, rows: Index, columns: Index, side: Side, point: Points) -> None:
        held = gone & (self._cells["point"][rows, columns] == point)
        self._cells["price"][rows[held], columns[held], side[held]] = np.nan

    def _set_prices(self, given: Mask, rows: Index, columns: Index, side: Side, point: Points, price: Array) -> None:
        rows, columns, side, point, price = rows[given], columns[given], side[given], point[given], price[given]
        _, first, inverse = np.unique(
            rows * max(1, len(self.column_by_book)) + columns, return_index=True, return_inverse=True
        )
        empty = np.isnan(self._cells["price"][rows, columns]).all(axis=-1)
        line = np.where(empty, point[first][inverse], self._cells["point"][rows, columns])
        mine = line == point
        self._cells["point"][rows[mine], columns[mine]] = point[mine]
        self._cells["price"][rows[mine], columns[mine], side[mine]] = price[mine]

    def _ensure_row(self, key: tuple[int, int]) -> int:
        row = self._row_by_market.get(key)
        if row is None:
            row = self._row_by_market[key] = self._free.pop() if self._free else len(self._row_by_market)
            if row >= len(self.row):
                self._cells = np.concatenate([self._cells, _empty_cells(*self._cells.shape)])
                self.row = np.concatenate([self.row, np.zeros_like(self.row)])
            self.row[row] = np.zeros((), ROW_DTYPE)
            self.row["event"][row], self.row["market"][row], self.row["used"][row] = *key, True
            self.row["median"][row] = np.nan
        return row

    def _ensure_column(self, book: int) -> int:
        column = self.column_by_book.setdefault(book, len(self.column_by_book))
        if column >= self._cells.shape[1]:
            self._cells = np.concatenate([self._cells, _empty_cells(*self._cells.shape)], axis=1)
        return column


def _empty_cells(rows: int, books: int) -> NDArray[np.void]:
    cells = np.zeros((rows, books), CELL_DTYPE)
    cells["price"] = cells["position"] = np.nan
    return cells
