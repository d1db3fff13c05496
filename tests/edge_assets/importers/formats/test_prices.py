"""Many prices at once are judged as one is in the live path."""

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
def test_the_same_is_refused_for_the_same_reason(kind: str, listed: list[float]) -> None:
    one: Callable[[float], float] = getattr(conversions, kind)
    usable, refused = getattr(prices, kind)(np.array(listed))
    for i, price in enumerate(listed):
        reasons = [reason for reason, where in refused.items() if where[i]]
        assert (reasons, None if np.isnan(usable[i]) else usable[i]) == judged(one, price)


def judged(one: Callable[[float], float], price: float) -> tuple[list[str], float | None]:
    try:
        return [], one(price)
    except conversions.RejectedValueError as refusal:
        return [str(refusal)], None


def test_no_price_is_no_refusal() -> None:
    for judge in (prices.american_to_decimal, prices.check_decimal):
        usable, refused = judge(np.array([np.nan]))
        assert np.isnan(usable[0])
        assert not any(where.any() for where in refused.values())
