"""The vectorized price checks agree with the scalar ones used by polling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.feeds.odds_api import conversions
from edge_assets.importers.formats import prices

if TYPE_CHECKING:
    from collections.abc import Callable

JUNK = (-2147483648.0, -1_000_000.0, 1_000_000.0, -100_000.0, -100.0, 100.0, 99.0, 0.0, 1.0, 1.00001, 10_000.0, -1.0)
PRICES = st.one_of(st.sampled_from(JUNK), st.integers(-(10**9), 10**9).map(float), st.floats(-1e6, 1e6))


@pytest.mark.parametrize("kind", ["american_to_decimal", "check_decimal"])
@given(listed=st.lists(PRICES, max_size=30))
def test_both_reject_the_same_prices_for_the_same_reasons(kind: str, listed: list[float]) -> None:
    convert: Callable[[float], float] = getattr(conversions, kind)
    usable, rejected = getattr(prices, kind)(np.array(listed))
    for i, price in enumerate(listed):
        reasons = [reason for reason, where in rejected.items() if where[i]]
        assert (reasons, None if np.isnan(usable[i]) else usable[i]) == check_one(convert, price)


def check_one(convert: Callable[[float], float], price: float) -> tuple[list[str], float | None]:
    try:
        return [], convert(price)
    except conversions.RejectedValueError as error:
        return [str(error)], None


def test_a_missing_price_is_not_rejected() -> None:
    for check in (prices.american_to_decimal, prices.check_decimal):
        usable, rejected = check(np.array([np.nan]))
        assert np.isnan(usable[0])
        assert not any(where.any() for where in rejected.values())
