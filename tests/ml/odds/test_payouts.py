from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.odds import OddsFormat, bookable_stake, payout, to_decimal

CENT = Decimal("0.01")
cents = st.integers(0, 10_000_000)


@pytest.mark.parametrize(
    ("stake", "price", "returned"),
    [
        (10, 1 + 100 / 110, 19.09),
        (110, 1 + 100 / 110, 210.0),
        (100, 1.15, 115.0),  # 114.99999999999999 in floats
        (3, 1.1, 3.3),
        (0.01, 1.99, 0.01),
        (0, 5, 0),
        (33.33, 13 / 3, 144.43),
    ],
)
def test_payouts_known_from_slips(stake: float, price: float, returned: float) -> None:
    assert payout(stake, price) == returned


@given(cents, st.integers(1001, 1_000_000))
def test_decimal_odds_pay_as_decimal_arithmetic_gives(stake: int, thousandths: int) -> None:
    exact = (Decimal(stake) / 100 * Decimal(thousandths) / 1000).quantize(CENT, ROUND_DOWN)
    if exact < 10_000_000:
        assert payout(stake / 100, thousandths / 1000) == float(exact)


@given(cents, st.integers(100, 10_000), st.booleans())
def test_american_odds_pay_as_rational_arithmetic_gives(stake: int, size: int, favourite: bool) -> None:
    profit = Fraction(100, size) if favourite else Fraction(size, 100)
    price = to_decimal(-size if favourite else size, OddsFormat.AMERICAN)
    if (exact := floor(stake * (1 + profit))) < 1_000_000_000:
        assert payout(stake / 100, price) == exact / 100


def test_payouts_of_many_bets_and_in_other_units() -> None:
    assert payout([10, 20], [[1.5], [2.25]]).tolist() == [[15, 30], [22.5, 45]]
    assert np.isnan(payout([10, np.nan], [np.nan, 2.0])).all()
    assert payout(7, 1.55, unit=1) == 10
    assert payout(7, 1.55, unit=0.05) == 10.85


@given(st.floats(0, 1e6), st.sampled_from([0.01, 0.05, 0.25, 0.3, 1.0, 5.0, 10.0]))
def test_a_bookable_stake_is_the_largest_multiple(stake: float, increment: float) -> None:
    booked = float(bookable_stake(stake, increment))
    assert booked <= stake + increment * 1e-6 * 1.01 < booked + increment * (1 + 1e-5)
    assert booked / increment == pytest.approx(round(booked / increment), abs=1e-6)
    assert bookable_stake(booked, increment) == booked


def test_the_limits_of_a_book() -> None:
    stakes = [0.0, 1.99, 2.0, 7.9, 99.0, 1e9, np.nan]
    booked = bookable_stake(stakes, 0.5, minimum=2, maximum=50.2)
    np.testing.assert_array_equal(booked, [0, 0, 2, 7.5, 50, 50, np.nan])
    assert bookable_stake(0.29) == 0.29


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: payout(-1, 2), "stake must not be negative"),
        (lambda: payout(1, 1), "decimal odds must exceed 1"),
        (lambda: payout(1, 2, unit=0), "unit must be positive, got 0"),
        (lambda: bookable_stake(-1), "stake must not be negative"),
        (lambda: bookable_stake(1, 0), "increment must be positive, got 0"),
        (lambda: bookable_stake(1, 1, minimum=5, maximum=2), "minimum stake 5 is negative or exceeds the maximum 2"),
    ],
)
def test_impossible_stakes_and_payouts(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()
