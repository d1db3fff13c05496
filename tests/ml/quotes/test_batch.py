from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes import UNKNOWN_TIME, QuoteBatch
from tests.support.column_strategies import KINDS, Columns, assert_same, columns

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_columns_of_different_length_are_refused(kind: type[Columns]) -> None:
    full = [np.zeros(2, t) for t in kind.DTYPES]
    for short in range(len(full)):
        ragged = [column[: 1 if i == short else 2] for i, column in enumerate(full)]
        with pytest.raises(ValueError, match=rf"columns of {kind.__name__} differ in length: \[\(1,\), \(2,\)\]"):
            kind(*ragged)


@every_kind
def test_rows_that_do_not_fit_the_columns_are_refused(kind: type[Columns]) -> None:
    with pytest.raises(ValueError, match="zip"):
        kind.from_rows([tuple(range(len(kind.DTYPES) - 1))])
    with pytest.raises(ValueError, match="zip"):
        kind.from_rows([tuple(range(len(kind.DTYPES))), (1,)])


@every_kind
def test_values_that_do_not_fit_the_types_are_refused(kind: type[Columns]) -> None:
    with pytest.raises(OverflowError):
        kind.from_rows([(2**40,) * len(kind.DTYPES)])


@every_kind
def test_empty(kind: type[Columns]) -> None:
    batch = kind.empty()
    assert len(batch) == 0
    assert [str(c.dtype) for c in batch.columns()] == [str(np.dtype(t)) for t in kind.DTYPES]
    assert_same(batch, kind.from_rows(iter(())))


def test_rows_become_typed_columns() -> None:
    batch = QuoteBatch.from_rows([(1, 2, 3, 4, -3.5, 1.91, 10), (5, 6, 7, 8, float("nan"), float("nan"), UNKNOWN_TIME)])
    assert len(batch) == 2
    assert batch.event.tolist() == [1, 5]
    assert batch.price[0] == 1.91
    assert np.isnan(batch.point[1])
    assert batch.book_time.tolist() == [10, UNKNOWN_TIME]
    assert [str(c.dtype) for c in batch.columns()] == [
        "int32", "int16", "int16", "int32", "float32", "float64", "int64",
    ]  # fmt: skip


@every_kind
@given(data=st.data())
def test_taking_rows(kind: type[Columns], data: st.DataObject) -> None:
    batch = data.draw(columns(kind))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))), np.bool_)
    taken = batch.take(mask)
    assert len(taken) == mask.sum()
    assert_same(taken, batch.take(np.flatnonzero(mask)))
    assert_same(batch.take(np.arange(len(batch))), batch)
