from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ml.odds import OddsFormat, from_decimal, to_decimal

every = pytest.mark.parametrize("written", list(OddsFormat))
DECIMAL, AMERICAN, FRACTIONAL, HONG_KONG, MALAY, INDONESIAN, PROBABILITY = OddsFormat
prices = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3), elements=st.floats(1.0001, 1e6))

# one bet in all formats, in the order of OddsFormat
BETS = [
    (1.20, -500, 0.20, 0.20, 0.20, -5.00, 1 / 1.20),
    (1.50, -200, 0.50, 0.50, 0.50, -2.00, 1 / 1.50),
    (2.00, 100, 1.00, 1.00, 1.00, 1.00, 0.50),
    (2.50, 150, 1.50, 1.50, -1 / 1.5, 1.50, 0.40),
    (6.00, 500, 5.00, 5.00, -0.20, 5.00, 1 / 6),
]


@pytest.mark.parametrize("bet", BETS)
def test_one_bet_in_every_format(bet: tuple[float, ...]) -> None:
    for written, odds in zip(OddsFormat, bet, strict=True):
        assert from_decimal(bet[0], written) == pytest.approx(odds, rel=1e-14)
        assert to_decimal(odds, written) == pytest.approx(bet[0], rel=1e-14)


@every
@given(price=prices)
def test_formats_convert_there_and_back(written: OddsFormat, price: np.ndarray) -> None:
    back = to_decimal(from_decimal(price, written), written)
    assert back.shape == price.shape
    np.testing.assert_allclose(back, price, rtol=4e-16)


@given(st.integers(100, 1_000_000), st.booleans())
def test_whole_american_odds_come_back_whole(size: int, favourite: bool) -> None:
    american = -size if favourite and size > 100 else size
    assert round(float(from_decimal(to_decimal(american, AMERICAN), AMERICAN))) == american


@pytest.mark.parametrize(("written", "odds"), [(AMERICAN, [100, -100]), (MALAY, [1, -1]), (INDONESIAN, [1, -1])])
def test_evens_have_two_signs_and_are_given_back_with_one(written: OddsFormat, odds: list[float]) -> None:
    assert to_decimal(odds, written).tolist() == [2, 2]
    assert from_decimal(2.0, written) == odds[0]


@every
@given(pair=st.lists(st.floats(1.001, 1e4), min_size=2, max_size=2))
def test_odds_keep_to_their_side_of_evens(written: OddsFormat, pair: list[float]) -> None:
    """And in the unsigned formats to their order."""
    low, high = sorted(pair)
    first, second = from_decimal([low, high], written)
    if written in {DECIMAL, FRACTIONAL, HONG_KONG}:
        assert first <= second
    if written in {AMERICAN, INDONESIAN}:
        assert (first > 0) == (low >= 2)
        assert abs(first) >= (100 if written is AMERICAN else 1)
    if written is MALAY:
        assert (first > 0) == (low <= 2)
        assert abs(first) <= 1
    if written is PROBABILITY:
        assert first >= second


@pytest.mark.parametrize(
    ("written", "impossible", "rule"),
    [
        (DECIMAL, [1.0, 0.0, -2.0, np.inf], "decimal odds must be finite and above 1"),
        (AMERICAN, [99.9, -99.9, 0.0, 1.5, np.inf, -np.inf], "american odds must be at most -100 or at least [+]100"),
        (FRACTIONAL, [0.0, -1.0, np.inf], "fractional odds must be finite and above 0"),
        (HONG_KONG, [0.0, -0.5, np.inf], "hong_kong odds must be finite and above 0"),
        (MALAY, [0.0, 1.01, -1.01, np.inf], "malay odds must be between -1 and 1 and not 0"),
        (INDONESIAN, [0.0, 0.99, -0.99, np.inf], "indonesian odds must be at most -1 or at least 1"),
        (PROBABILITY, [0.0, 1.0, 1.1, -0.1, np.inf], "probability odds must be above 0 and below 1"),
    ],
)
def test_values_that_a_format_does_not_allow(written: OddsFormat, impossible: list[float], rule: str) -> None:
    good = float(from_decimal(1.8, written))
    for odds in impossible:
        with pytest.raises(ValueError, match=f"{rule}, got {odds:g}"):
            to_decimal([good, odds, np.nan], written)


@every
def test_missing_odds_stay_missing(written: OddsFormat) -> None:
    assert np.isnan(to_decimal(np.nan, written))
    assert np.isnan(from_decimal([np.nan, np.nan], written)).all()


@pytest.mark.parametrize("price", [1.0, 0.5, -3.0, np.inf])
@every
def test_decimal_odds_that_win_nothing(written: OddsFormat, price: float) -> None:
    with pytest.raises(ValueError, match="decimal odds must be finite and above 1, got"):
        from_decimal(price, written)


def test_odds_too_short_for_a_float() -> None:
    with pytest.raises(ValueError, match="decimal odds must be finite and above 1, got 1"):
        to_decimal(-1e18, AMERICAN)
