"""The small numbers behind the matrix: rows of lines, columns of books, ladders of confirmations, cells of blocks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes import UNKNOWN_TIME, Market, MarketTimes
from ml.scoring.bookcolumns import BookColumns
from ml.scoring.cells import cells_where
from ml.scoring.confirmations import Confirmations
from ml.scoring.lines import LineKey
from ml.scoring.rows import LineRows
from ml.scoring.slots import runs


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=60))
def test_every_line_is_found_in_its_row_and_no_other(changes: list[tuple[bool, int]]) -> None:
    lines, expected = LineRows(), {}
    for come, number in changes:
        key, code = LineKey(number, 1, 0.0), number << 40
        if come and code not in expected:
            expected[code] = lines.take(key, code)
        elif not come and code in expected:
            assert lines.release(expected.pop(code))
    asked = np.arange(10) << 40
    assert lines.find(asked).tolist() == [expected.get(code, -1) for code in asked.tolist()]
    assert len(lines.keys) <= 9
    assert not lines.release(len(lines.keys) - 1) if lines.keys and lines.keys[-1] is None else True


def test_books_stand_in_the_order_of_their_ids() -> None:
    columns = BookColumns()
    assert columns.of(np.array([5], np.int16)).tolist() == [-1]
    assert columns.newcomers(np.array([9, 5], np.int16)).tolist() == [0, 0]
    assert columns.newcomers(np.array([7, 9], np.int16)).tolist() == [1]
    assert columns.of(np.array([9, 5, 7, 8, 30_000], np.int16)).tolist() == [2, 0, 1, -1, -1]


def test_confirmations_do_not_mind_the_order_of_the_books() -> None:
    columns, confirmed = BookColumns(), Confirmations()
    confirmed.insert_books(columns.newcomers(np.array([1, 2, 3], np.int16)))
    rows = [(8, book, Market.TOTALS, 100 + book) for book in (1, 2, 3)]
    confirmed.apply(MarketTimes.of([*rows, (8, 1, Market.H2H_LAY, 5)]), 999, columns.of)
    confirmed.apply(
        MarketTimes.of([*((e, b, m, t + 10) for e, b, m, t in reversed(rows)), (8, 1, 999, 5)]), 999, columns.of
    )
    [ladder] = confirmed.ladders(np.array([8], np.int32), np.array([Market.TOTALS], np.int16))
    assert confirmed.times[ladder].tolist() == [111, 112, 113]
    confirmed.forget(8)
    assert (confirmed.times == UNKNOWN_TIME).all()


def test_runs_are_rows_that_are_equal_in_every_column() -> None:
    first, length = runs(np.array([1, 1, 1, 2, 2]), np.array([4, 4, 5, 5, 5]))
    assert (first.tolist(), length.tolist()) == ([0, 2, 3], [2, 1, 2])
    assert [len(part) for part in runs(np.empty(0))] == [0, 0]


def test_cells_are_those_of_nonzero() -> None:
    mask = np.random.default_rng(1).random((3, 5, 7)) < 0.2
    for block in (mask, mask.transpose(2, 0, 1), np.zeros((2, 0, 4), np.bool_)):
        assert [c.tolist() for c in cells_where(block)] == [c.tolist() for c in block.nonzero()]
