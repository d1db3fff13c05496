from __future__ import annotations

from threading import Event

import pytest

from edge_assets.core.prefetch import prefetch


def test_yields_keys_in_order_with_their_results() -> None:
    assert list(prefetch(str, range(3))) == [(0, "0"), (1, "1"), (2, "2")]
    assert list(prefetch(str, [])) == []


def test_reads_exactly_one_key_ahead() -> None:
    read = [Event() for _ in range(3)]
    pairs = prefetch(lambda n: read[n].set(), range(3))
    next(pairs)
    assert read[1].wait(10)
    assert not read[2].is_set()


def test_a_read_error_is_raised_for_its_own_key() -> None:
    pairs = prefetch(lambda n: 1 // n, [1, 0])
    assert next(pairs) == (1, 1)
    with pytest.raises(ZeroDivisionError):
        next(pairs)
