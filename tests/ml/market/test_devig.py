from __future__ import annotations

from decimal import Decimal, localcontext
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pytest
from goto_conversion import goto_conversion
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ml.market import (
    FORMULA_METHODS,
    PLAIN_METHODS,
    DevigMethod,
    DevigStatus,
    blend,
    devig,
    devig_by_method,
    methods,
    worst_case,
)
from tests.support.peer_packages import penaltyblog_implied
from tests.support.price_strategies import NAN, book_markets, odd_prices

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MULTIPLICATIVE, ADDITIVE, POWER, SHIN, ODDS_RATIO, PROBIT, EQUAL_ERRORS = FORMULA_METHODS
WORST = DevigMethod.WORST_CASE
formula = pytest.mark.parametrize("method", FORMULA_METHODS)
every = pytest.mark.parametrize("method", list(DevigMethod))

# README of the R package `implied`, whose root finder stops at about 1e-6; its `wpo` is the additive method
IMPLIED_PRICES = np.array([[4.20, 3.70, 1.95], [2.45, 3.70, 2.90], [2.05, 3.20, 3.80]])
IMPLIED = {
    MULTIPLICATIVE: [
        [0.2331556, 0.2646631, 0.5021813],
        [0.3988848, 0.2641264, 0.3369888],
        [0.4586948, 0.2938514, 0.2474538],
    ],
    ADDITIVE: [
        [0.2310332, 0.2632083, 0.5057585],
        [0.4004096, 0.2625166, 0.3370739],
        [0.4666506, 0.2913457, 0.2420036],
    ],
    SHIN: [
        [0.2315716, 0.2635742, 0.5048542],
        [0.4000221, 0.2629271, 0.3370508],
        [0.4645882, 0.2919788, 0.2434331],
    ],
    POWER: [
        [0.2311414, 0.2630644, 0.5057942],
        [0.4003156, 0.2627189, 0.3369655],
        [0.4667139, 0.2908985, 0.2423876],
    ],
}
NORMAL = NormalDist()
# its `logarithmic` shifts log-odds, which is what dividing the odds does
PENALTYBLOG = {
    "multiplicative": MULTIPLICATIVE,
    "additive": ADDITIVE,
    "differential_margin_weighting": ADDITIVE,
    "power": POWER,
    "shin": SHIN,
    "odds_ratio": ODDS_RATIO,
    "logarithmic": ODDS_RATIO,
}
TOLERANCE = {MULTIPLICATIVE: 6e-8, ADDITIVE: 6e-8, POWER: 3e-6, SHIN: 3e-6}


def bisect(prices: list[float], fair: Callable[[list[Decimal], Decimal], list[Decimal]], high: int) -> list[float]:
    """Fair probabilities by bisection of their falling parameter in (0, high): 40 digits, no Newton."""
    with localcontext() as context:
        context.prec = 40
        implied = [1 / Decimal(p) for p in prices]
        low, top = Decimal(0), Decimal(high)
        for _ in range(100):
            middle = (low + top) / 2
            low, top = (middle, top) if sum(fair(implied, middle)) > 1 else (low, middle)
        return [float(p) for p in fair(implied, low)]


def exact_power(implied: list[Decimal], k: Decimal) -> list[Decimal]:
    return [q**k for q in implied]


def exact_shin(implied: list[Decimal], z: Decimal) -> list[Decimal]:
    total = sum(implied)
    return [((z * z + 4 * (1 - z) * q * q / total).sqrt() - z) / (2 * (1 - z)) for q in implied]


@pytest.mark.parametrize("method", PLAIN_METHODS)
def test_published_tables(method: DevigMethod) -> None:
    ours = devig(IMPLIED_PRICES, method).probabilities
    np.testing.assert_allclose(ours, IMPLIED[method], atol=TOLERANCE[method], rtol=0)


def test_the_worked_example_of_the_shin_package() -> None:
    ours = devig(np.array([2.6, 2.4, 4.3]), SHIN).probabilities
    np.testing.assert_allclose(ours, [0.37299406033208965, 0.4047794109200184, 0.2222265287474275], atol=1e-12)


@given(book_markets(1.001))
def test_shin_agrees_with_the_shin_package(prices: Array) -> None:
    shin = pytest.importorskip("shin", reason="shin has no wheel for this Python")
    theirs = [shin.calculate_implied_probabilities(row, max_iterations=100_000) for row in prices.tolist()]
    np.testing.assert_allclose(devig(prices, SHIN).probabilities, theirs, atol=2e-11, rtol=0)


def exact_odds_ratio(implied: list[Decimal], c: Decimal) -> list[Decimal]:
    return [q / (q + c * (1 - q)) for q in implied]


@pytest.mark.parametrize(
    "prices",
    [
        [2.6, 2.4, 4.3],
        [1.01, 26.0, 67.0],
        [1.0005, 900.0, 4000.0],
        [3.0, 3.0, 3.0 - 1e-9],
        [1.2, 1.3, 1.4],
        [1.9, 1.9],
        [1.01, 40.0],
        [1.001, 1.001, 1.001],
        [5.0, 6.5, 9.0, 11.0, 15.0, 15.0, 21.0, 34.0, 3.2],
    ],
)
def test_iterated_methods_have_thirteen_digits(prices: list[float]) -> None:
    for method, exact, high in (
        (POWER, exact_power, 2000),
        (SHIN, exact_shin, 1),
        (ODDS_RATIO, exact_odds_ratio, 9999),
    ):
        ours = devig(np.array(prices), method).probabilities
        np.testing.assert_allclose(ours, bisect(prices, exact, high), atol=1e-13, rtol=0, err_msg=method)


@given(book_markets(0.7, 0.999))
def test_power_and_odds_ratio_below_a_booksum_of_one(prices: Array) -> None:
    for method, exact in ((POWER, exact_power), (ODDS_RATIO, exact_odds_ratio)):
        ours = devig(prices, method)
        assert (ours.status == DevigStatus.OK).all()
        np.testing.assert_allclose(ours.probabilities[0], bisect(prices[0].tolist(), exact, 1), atol=1e-13)


@given(book_markets(0.7, 1.3))
def test_the_probit_method_shifts_all_normal_quantiles_alike(prices: Array) -> None:
    fair = devig(prices, PROBIT)
    assert (fair.status == DevigStatus.OK).all()
    shift = [
        [NORMAL.inv_cdf(1 / d) - NORMAL.inv_cdf(p) for d, p in zip(*row, strict=True)]
        for row in zip(prices.tolist(), fair.probabilities.tolist(), strict=True)
    ]
    np.testing.assert_allclose(np.ptp(shift, axis=1), 0, atol=1e-9)


@given(book_markets(0.7, 0.999))
def test_equal_standard_errors_below_a_booksum_of_one(prices: Array) -> None:
    fair = devig(prices, EQUAL_ERRORS).probabilities
    errors = (1 / prices - fair) / np.sqrt(1 - 1 / prices)
    np.testing.assert_allclose(np.ptp(errors, axis=1), 0, atol=1e-13)


@pytest.mark.parametrize("name", PENALTYBLOG)
@given(prices=book_markets(1.001, 1.15))
def test_penaltyblog_agrees(name: str, prices: Array) -> None:
    ours = devig(prices, PENALTYBLOG[name])
    ok = ours.status == DevigStatus.OK
    theirs = [penaltyblog_implied().calculate_implied(row, name).probabilities for row in prices[ok].tolist()]
    np.testing.assert_allclose(ours.probabilities[ok], np.reshape(theirs, (-1, prices.shape[1])), atol=1e-9, rtol=0)


@given(book_markets(1.001, 1.15))
def test_goto_conversion_agrees_where_it_accepts_the_prices(prices: Array) -> None:
    ours = devig(prices, EQUAL_ERRORS)
    for row, fair, status in zip(prices, ours.probabilities, ours.status, strict=True):
        if status == DevigStatus.OK:
            np.testing.assert_allclose(fair, goto_conversion(row), atol=1e-13)


@given(book_markets(1.001, outcomes=2))
def test_two_outcomes_make_shin_additive(prices: Array) -> None:
    exact = [bisect(row, exact_shin, 1) for row in prices[:1].tolist()]
    np.testing.assert_allclose(devig(prices[:1], ADDITIVE).probabilities, exact, atol=1e-13)
    np.testing.assert_array_equal(devig(prices, SHIN).probabilities, devig(prices, ADDITIVE).probabilities)


@formula
@given(prices=book_markets())
def test_fair_probabilities_are_a_distribution_in_the_books_order(method: DevigMethod, prices: Array) -> None:
    fair = devig(prices, method)
    ok = fair.status == DevigStatus.OK
    np.testing.assert_allclose(fair.probabilities[ok].sum(axis=1), 1, atol=1e-14)
    for p, price in zip(fair.probabilities[ok], prices[ok], strict=True):
        assert (np.diff(p[np.argsort(-price)]) >= -1e-15).all()
    assert ok.all() or method in {ADDITIVE, EQUAL_ERRORS}


@formula
@given(prices=book_markets(), data=st.data())
def test_the_order_of_outcomes_does_not_matter(method: DevigMethod, prices: Array, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(prices.shape[1])))
    ours, theirs = devig(prices, method), devig(prices[:, order], method)
    np.testing.assert_allclose(ours.probabilities[:, order], theirs.probabilities, atol=1e-14)


@formula
@given(prices=book_markets(1.01), longer=st.floats(1.001, 1.05))
def test_a_longer_price_is_a_lower_probability(method: DevigMethod, prices: Array, longer: float) -> None:
    drifted = prices.copy()
    drifted[:, 0] *= longer
    assume((1 / drifted).sum(axis=1).min() > 1)
    before, after = devig(prices, method).probabilities, devig(drifted, method).probabilities
    both = ~np.isnan(before + after).any(axis=1)
    assert (after[both, 0] < before[both, 0]).all()
    if method is not SHIN:  # at a booksum of 1.25 its z, and so what longshots lose, can rise: checked to 40 digits
        assert (after[both, 1:] > before[both, 1:]).all()


@formula
def test_a_fair_book_is_unchanged(method: DevigMethod) -> None:
    prices = np.array([[3.0, 3.0, 3.0], [2.0, 4.0, 4.0], [1.25, 10.0, 10.0], [1 / 0.7, 5.0, 10.0]])
    np.testing.assert_allclose(devig(prices, method).probabilities, 1 / prices, atol=1e-15)


@formula
def test_margin_on_longshots(method: DevigMethod) -> None:
    """All except multiplicative take more of the margin from the longshot (Clarke, Kovalchik & Ingram 2017)."""
    prices = np.array([1.15, 8.0, 17.0])
    longshot, even = devig(prices, method).probabilities[2], devig(prices, MULTIPLICATIVE).probabilities[2]
    assert longshot == even if method is MULTIPLICATIVE else longshot < even


@pytest.mark.parametrize(
    ("prices", "status"),
    [
        ([1.5, 3.0, 9.0], dict.fromkeys(DevigMethod, DevigStatus.OK)),
        ([1.5, NAN, 9.0], dict.fromkeys(DevigMethod, DevigStatus.INCOMPLETE)),
        ([1.0, NAN, 9.0], dict.fromkeys(DevigMethod, DevigStatus.INCOMPLETE)),
        ([1.5, 1.0, 9.0], dict.fromkeys(DevigMethod, DevigStatus.INVALID_PRICE)),
        ([1.5, 3.0, np.inf], dict.fromkeys(DevigMethod, DevigStatus.INVALID_PRICE)),
        ([1.5, 3.0, -np.inf], dict.fromkeys(DevigMethod, DevigStatus.INVALID_PRICE)),
        ([1.5, 0.0, 9.0], dict.fromkeys(DevigMethod, DevigStatus.INVALID_PRICE)),
        ([1.5, -2147483648.0, 9.0], dict.fromkeys(DevigMethod, DevigStatus.INVALID_PRICE)),
        ([3.1, 3.1, 3.1], dict.fromkeys(DevigMethod, DevigStatus.OK) | {SHIN: DevigStatus.UNDERROUND}),
        (
            [1.01, 20.0, 100.0],
            dict.fromkeys(DevigMethod, DevigStatus.OK)
            | dict.fromkeys([ADDITIVE, EQUAL_ERRORS], DevigStatus.OUT_OF_RANGE),
        ),
    ],
)
def test_every_row_has_a_status(prices: list[float], status: dict[DevigMethod, DevigStatus]) -> None:
    for method, expected in status.items():
        fair = devig(np.array(prices), method)
        assert fair.status == expected
        assert np.isnan(fair.probabilities).all() == (expected != DevigStatus.OK)


@every
@given(prices=hnp.arrays(np.float64, st.tuples(st.integers(0, 7), st.integers(2, 4)), elements=odd_prices))
def test_any_input_gets_a_status_and_no_warning(method: DevigMethod, prices: Array) -> None:
    fair = devig(prices, method)
    ok = fair.status == DevigStatus.OK
    assert np.isnan(fair.probabilities[~ok]).all()
    assert ((fair.probabilities[ok] > 0) & (fair.probabilities[ok] < 1)).all()
    assert (fair.status != DevigStatus.NOT_CONVERGED).all()


@every
@given(prices=hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(2, 9)), elements=odd_prices))
def test_rows_are_independent(method: DevigMethod, prices: Array) -> None:
    together = devig(prices, method)
    for i, row in enumerate(prices):
        alone = devig(row, method)
        np.testing.assert_array_equal(alone.probabilities, together.probabilities[i])
        assert alone.status == together.status[i]


def test_ten_thousand_rows_and_any_slice_of_them_agree_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    prices = 1 / (rng.dirichlet([4, 3, 2.5], 10_000) * 0.93 + 0.035)
    for method in DevigMethod:
        together = devig(prices, method).probabilities
        np.testing.assert_array_equal(devig(prices[17:6001:7], method).probabilities, together[17:6001:7])
        np.testing.assert_array_equal(devig(prices.reshape(100, 100, 3), method).probabilities.reshape(-1, 3), together)
        np.testing.assert_array_equal(devig(np.asfortranarray(prices), method).probabilities, together)


@given(book_markets(0.9))
def test_worst_case_is_the_lowest_of_those_defined(prices: Array) -> None:
    worst = devig(prices, WORST)
    lowest = np.nanmin([devig(prices, m).probabilities for m in PLAIN_METHODS], axis=0)
    np.testing.assert_array_equal(worst.probabilities, lowest)
    assert (worst.probabilities.sum(axis=1) <= 1 + 1e-14).all()
    assert (worst.status == DevigStatus.OK).all()


@given(book_markets(0.9))
def test_worst_case_of_other_methods(prices: Array) -> None:
    chosen = (ODDS_RATIO, PROBIT, EQUAL_ERRORS)
    worst = worst_case(devig_by_method(prices, chosen).values())
    lowest = np.nanmin([devig(prices, m).probabilities for m in chosen], axis=0)
    np.testing.assert_array_equal(worst.probabilities, lowest)


@given(book_markets(1.001), st.floats(0, 5), st.floats(0.1, 5))
def test_a_blend_is_the_weighted_mean(prices: Array, power: float, shin: float) -> None:
    estimates = devig_by_method(prices, FORMULA_METHODS)
    mixed = blend(estimates, {POWER: power, SHIN: shin, ADDITIVE: 0.0})
    expected = (estimates[POWER].probabilities * power + estimates[SHIN].probabilities * shin) / (power + shin)
    np.testing.assert_allclose(mixed.probabilities, expected, atol=1e-15)
    np.testing.assert_allclose(mixed.probabilities.sum(axis=1), 1, atol=1e-14)
    assert (mixed.status == DevigStatus.OK).all()


def test_a_blend_is_not_defined_where_one_of_its_methods_is_not() -> None:
    prices = np.array([[1.5, 3.0, 9.0], [1.01, 20.0, 100.0], [3.1, 3.1, 3.1], [1.5, NAN, 9.0]])
    mixed = blend(devig_by_method(prices, PLAIN_METHODS), dict.fromkeys(PLAIN_METHODS, 1.0))
    expected = [DevigStatus.OK, DevigStatus.OUT_OF_RANGE, DevigStatus.UNDERROUND, DevigStatus.INCOMPLETE]
    assert mixed.status.tolist() == expected
    assert np.isnan(mixed.probabilities[1:]).all()


@pytest.mark.parametrize("weights", [{POWER: -1.0, SHIN: 2.0}, {POWER: 0.0}, {POWER: NAN}, {POWER: np.inf}, {}])
def test_a_blend_refuses_weights_that_make_no_mean(weights: dict[DevigMethod, float]) -> None:
    with pytest.raises(ValueError, match="method weights must be finite"):
        blend(devig_by_method(IMPLIED_PRICES, PLAIN_METHODS), weights)


def test_an_iteration_that_ends_early_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "MAX_ITERATIONS", 1)
    prices = np.array([[3.0, 3.0, 3.0], [1.1, 7.0, 30.0]])
    for method in (POWER, SHIN, ODDS_RATIO, PROBIT):
        fair = devig(prices, method)
        assert fair.status.tolist() == [DevigStatus.OK, DevigStatus.NOT_CONVERGED]
        assert np.isnan(fair.probabilities[1]).all()


def test_one_outcome_is_not_a_market() -> None:
    with pytest.raises(ValueError, match="at least two outcomes, got 1"):
        devig(np.array([[2.0]]))
