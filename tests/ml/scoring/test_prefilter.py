"""The prefilter excludes no line with a verdict: compared with the valuation of every line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.market import DevigMethod
from ml.quotes import MICROS_PER_SECOND, Market
from ml.scoring import BookProfile, ScoringRules
from ml.scoring.books import BookProfiles
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.matrix import LineView
from ml.scoring.prefilter import can_alert
from ml.scoring.rules import NO_CANDIDATE
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines

NOW = 2_000_000_000_000_000
SECOND = MICROS_PER_SECOND
LINES, BOOKS = 40, 7
METHODS = [*DevigMethod]


def view(market: Market, outcomes: int, method: DevigMethod, rng: np.random.Generator) -> LineView:
    """Lines at books that disagree, some of them wildly, with ages from fresh to stale."""
    fair = rng.dirichlet(np.full(outcomes, 4.0), LINES)[:, None]
    offered = fair * np.exp(rng.normal(0, 0.03, (LINES, BOOKS, outcomes)))
    price = np.round(1 / (rng.choice([0.97, 1.0, 1.04, 1.08], (LINES, BOOKS, 1)) * offered), 2)
    price[rng.random(price.shape) < 0.02] *= 1.5
    price[rng.random(price.shape) < 0.05] = np.nan
    price[rng.random(price.shape) < 0.01] = np.inf
    return LineView.from_prices(
        price, NOW - rng.choice([1, 90, 400, 900], (LINES, BOOKS)) * SECOND, commence_at=np.full(LINES, NOW + SECOND),
        market=market, point=np.zeros(LINES), ladder=np.arange(LINES), method=method,
    )  # fmt: skip


@given(
    st.sampled_from([(Market.H2H, 2), (Market.H2H_3_WAY, 3)]), st.sampled_from(METHODS),
    st.sampled_from([0.0, 0.005, 0.02, 0.05]), st.integers(0, 2**32),
)  # fmt: skip
def test_an_excluded_line_has_no_verdict(
    kind: tuple[Market, int], method: DevigMethod, threshold: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rules = ScoringRules(threshold_edge=threshold, method=method, min_books=int(rng.integers(1, 5)))
    profile = [
        BookProfile(weight=rng.choice([0.0, 1.0, 3.0]), commission=rng.choice([0.0, 0.03])) for _ in range(BOOKS)
    ]
    lines = view(*kind, method, rng)
    value = value_lines(
        lines,
        BookProfiles.from_profiles(range(BOOKS), profile.__getitem__),
        ConsensusProvider({}),
        NOW,
        rules,
        EdgeThreshold(rules.threshold_edge),
    )
    silent = ~can_alert(lines.price, lines.fair_log_odds, rules.threshold_edge)
    assert (value.verdict[:, silent] == NO_CANDIDATE).all()
    assert (value.arbitrages.verdict[silent] == NO_CANDIDATE).all()


@pytest.mark.parametrize("outcomes", [2, 3])
def test_most_lines_of_an_ordinary_market_are_excluded(outcomes: int) -> None:
    rng = np.random.default_rng(7)
    fair = rng.dirichlet(np.full(outcomes, 9.0), 500)[:, None]
    price = np.moveaxis(1 / (1.06 * fair * np.exp(rng.normal(0, 0.01, (500, 12, outcomes)))), 2, 0)
    opinion = -np.log(price * 1.06 - 1)
    assert can_alert(price, opinion, ScoringRules().threshold_edge).mean() < 0.05
