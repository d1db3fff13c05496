from __future__ import annotations

from threading import Event

import pytest

from edge_assets.core.prefetch import prefetch


def test_keys_come_in_order_with_what_was_read() -> None:
    assert list(prefetch(str, range(3))) == [(0, "0"), (1, "1"), (2, "2")]
    assert list(prefetch(str, [])) == []


def test_the_next_is_read_meanwhile_and_no_more() -> None:
    read = [Event() for _ in range(3)]
    pairs = prefetch(lambda n: read[n].set(), range(3))
    next(pairs)
    assert read[1].wait(10)
    assert not read[2].is_set()


def test_what_cannot_be_read_is_told_where_it_is_wanted() -> None:
    pairs = prefetch(lambda n: 1 // n, [1, 0])
    assert next(pairs) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(pairs)
