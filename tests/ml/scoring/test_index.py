"""The indices of the matrix: rows of lines, columns of books, ladders of confirmations, cells of blocks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.arrays import find_runs, nonzero_cells
from ml.quotes import UNKNOWN_TIME, Market, MarketConfirmations
from ml.scoring.confirmations import ConfirmationTimes
from ml.scoring.lines import LineKey
from ml.scoring.rows import BookColumns, LineRows


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=60))
def test_each_line_is_found_in_its_own_row_only(changes: list[tuple[bool, int]]) -> None:
    lines, expected = LineRows(), {}
    for come, number in changes:
        key, code = LineKey(number, 1, 0.0), number << 40
        if come and code not in expected:
            expected[code] = lines.allocate(key, code)
        elif not come and code in expected:
            assert lines.release(expected.pop(code))
    asked = np.arange(10) << 40
    assert lines.find(asked).tolist() == [expected.get(code, -1) for code in asked.tolist()]
    assert len(lines.line_by_row) <= 9
    assert (
        not lines.release(len(lines.line_by_row) - 1) if lines.line_by_row and lines.line_by_row[-1] is None else True
    )


def test_book_columns_are_sorted_by_id() -> None:
    columns = BookColumns()
    assert columns.columns_of(np.array([5], np.int16)).tolist() == [-1]
    assert columns.add_missing(np.array([9, 5], np.int16)).tolist() == [0, 0]
    assert columns.add_missing(np.array([7, 9], np.int16)).tolist() == [1]
    assert columns.columns_of(np.array([9, 5, 7, 8, 30_000], np.int16)).tolist() == [2, 0, 1, -1, -1]


def test_confirmations_do_not_depend_on_the_order_of_the_books() -> None:
    columns, confirmed = BookColumns(), ConfirmationTimes()
    confirmed.insert_books(columns.add_missing(np.array([1, 2, 3], np.int16)))
    rows = [(8, book, Market.TOTALS, 100 + book) for book in (1, 2, 3)]
    confirmed.apply(MarketConfirmations.from_rows([*rows, (8, 1, Market.H2H_LAY, 5)]), 999, columns.columns_of)
    confirmed.apply(
        MarketConfirmations.from_rows([*((e, b, m, t + 10) for e, b, m, t in reversed(rows)), (8, 1, 999, 5)]),
        999,
        columns.columns_of,
    )
    [ladder] = confirmed.find_ladders(np.array([8], np.int32), np.array([Market.TOTALS], np.int16))
    assert confirmed.confirmed_at[ladder].tolist() == [111, 112, 113]
    confirmed.release_event(8)
    assert (confirmed.confirmed_at == UNKNOWN_TIME).all()


def test_a_run_is_equal_in_every_column() -> None:
    first, length = find_runs(np.array([1, 1, 1, 2, 2]), np.array([4, 4, 5, 5, 5]))
    assert (first.tolist(), length.tolist()) == ([0, 2, 3], [2, 1, 2])
    assert [len(part) for part in find_runs(np.empty(0))] == [0, 0]


def test_nonzero_cells_match_numpy() -> None:
    mask = np.random.default_rng(1).random((3, 5, 7)) < 0.2
    for block in (mask, mask.transpose(2, 0, 1), np.zeros((2, 0, 4), np.bool_)):
        assert [c.tolist() for c in nonzero_cells(block)] == [c.tolist() for c in block.nonzero()]
