from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.arbitrage import NO_BOOK, PairKind, PairValues, best_pairs, value_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW = 30
NUMBERS = np.arange(LOW, 61.0)
CELLS = np.exp(-0.5 * ((NUMBERS - 45.5) / 6) ** 2)[None]
CELLS /= CELLS.sum()

points = st.integers(34 * 4, 56 * 4).map(lambda quarters: quarters / 4)
prices = st.floats(1.05, 12)


def one(over: float, over_at: float, under: float, under_at: float) -> PairValues:
    return value_pairs(*(np.array([[x]]) for x in (over, over_at, under, under_at)), pmf=CELLS, low=LOW)


def profits(over: float, over_at: float, under: float, under_at: float, share: float) -> NDArray[np.float64]:
    """Profit at each of `NUMBERS`; a quarter bet counts as two bets."""

    def single(number: float, price: float, at: float, sign: int) -> float:
        parts = (at - 0.25, at + 0.25) if at * 4 % 2 == 1 else (at, at)
        gaps = [sign * (number - part) for part in parts]
        return sum((price - 1) if gap > 0 else (-1 if gap < 0 else 0) for gap in gaps) / 2

    return np.array(
        [share * single(x, over, over_at, 1) + (1 - share) * single(x, under, under_at, -1) for x in NUMBERS]
    )


def test_a_middle() -> None:
    found = one(1.91, 44.5, 1.91, 47.5)
    assert found.kind == PairKind.MIDDLE
    assert found.guaranteed_return == pytest.approx(1.91 / 2 - 1)
    assert found.best_return == pytest.approx(0.91)
    between = CELLS[0, (NUMBERS >= 45) & (NUMBERS <= 47)].sum()
    assert found.middle_probability == pytest.approx(between)
    assert found.hole_probability == 0
    assert found.expected_value == pytest.approx(between * 0.91 + (1 - between) * (1.91 / 2 - 1))
    assert found.break_even == pytest.approx(0.045 / 0.955)


def test_a_hole_is_never_an_arbitrage() -> None:
    found = one(9.0, 47.5, 9.0, 44.5)
    assert found.kind == PairKind.HOLE
    assert found.guaranteed_return == -1
    assert found.middle_probability == 0
    assert found.hole_probability == pytest.approx(CELLS[0, (NUMBERS >= 45) & (NUMBERS <= 47)].sum())


@pytest.mark.parametrize(
    ("bets", "kind", "worst"),
    [
        ((2.1, 44.5, 2.1, 44.5), PairKind.ARBITRAGE, 0.05),
        ((2.1, 44.0, 2.1, 44.0), PairKind.ARBITRAGE, 0.0),  # 44 gives the stakes back
        ((2.0, 44.5, 2.0, 47.5), PairKind.ARBITRAGE, 0.0),  # a middle that costs nothing
        ((2.0, 44.5, 2.0, 44.5), PairKind.SAME_POINT, 0.0),
        ((1.9, 44.5, 1.9, 44.5), PairKind.SAME_POINT, -0.05),
        ((1.9, 44.0, 1.9, 44.5), PairKind.MIDDLE, -0.05),  # 44 returns the over and pays the under
        ((float("nan"), 44.5, 2.5, 44.5), PairKind.UNPRICED, float("nan")),
        ((2.5, float("nan"), 2.5, 44.5), PairKind.UNPRICED, float("nan")),
        ((1.0, 44.5, 2.5, 44.5), PairKind.UNPRICED, float("nan")),
    ],
)
def test_kinds(bets: tuple[float, float, float, float], kind: PairKind, worst: float) -> None:
    found = one(*bets)
    assert found.kind == kind
    assert found.guaranteed_return == pytest.approx(worst, nan_ok=True)


def test_spreads_are_the_home_margin() -> None:
    """Home -2.5 and away +3.5: both win if home wins by 3."""
    margin = np.full((1, 21), 1 / 21)
    found = value_pairs(*(np.array([[x]]) for x in (1.91, 2.5, 1.91, 3.5)), pmf=margin, low=-10)
    assert found.middle_probability == pytest.approx(1 / 21)


@given(prices, points, prices, points)
@settings(max_examples=200)
def test_value_worst_and_best_are_those_of_the_numbers_one_by_one(
    over: float, over_at: float, under: float, under_at: float
) -> None:
    found = one(over, over_at, under, under_at)
    share = found.stake_fraction[0, 0, 0]
    each = profits(over, over_at, under, under_at, share)
    assert share * over == pytest.approx((1 - share) * under)
    assert found.expected_value == pytest.approx(each @ CELLS[0], abs=1e-9)
    assert found.guaranteed_return == pytest.approx(each.min(), abs=1e-9)
    assert found.best_return == pytest.approx(each.max(), abs=1e-9)
    if found.kind == PairKind.ARBITRAGE:
        assert found.guaranteed_return >= 0
    if np.ceil(under_at + 0.5) < over_at - 0.5:
        assert found.kind == PairKind.HOLE


def test_expected_value_against_monte_carlo() -> None:
    drawn = np.random.default_rng(3).choice(NUMBERS, 400_000, p=CELLS[0])
    for bets in ((1.95, 43.0, 1.87, 47.25), (1.7, 45.75, 2.3, 46.0), (2.6, 48.5, 2.4, 44.5)):
        found = one(*bets)
        each = profits(*bets, found.stake_fraction[0, 0, 0])[(drawn - LOW).astype(int)]
        assert abs(found.expected_value[0, 0] - each.mean()) < 4 * each.std() / np.sqrt(len(each))


def test_the_best_pair_is_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    over, under = rng.uniform(1.6, 2.4, (2, 12, 7))
    over_at, under_at = rng.integers(40 * 2, 50 * 2, (2, 12, 7)) / 2
    over[rng.random(over.shape) < 0.2] = np.nan
    over[0], under_at[1], over_at[1] = np.nan, 40.0, 45.0  # nothing on offer; only holes
    cells = np.repeat(CELLS, 12, axis=0)
    found = best_pairs(over, over_at, under, under_at, pmf=cells, low=LOW)
    assert (found.over_book[:2] == NO_BOOK).all()
    for i in range(2, 12):
        best = -np.inf
        for a in range(7):
            for b in range(7):
                if over_at[i, a] <= under_at[i, b]:
                    value = one(over[i, a], over_at[i, a], under[i, b], under_at[i, b])
                    best = np.fmax(best, value.expected_value[0, 0])
        assert found.value.expected_value[i, 0] == pytest.approx(best)
