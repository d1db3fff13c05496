"""Middles: found between points, priced by the consensus, never at books known to settle differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.points import point_models_for
from ml.quotes import Market, Outcome
from ml.scoring import BookProfile, BookProfiles, ScoringRules
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.middles import MiddleBet, PricedLines, find_middles
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines
from ml.settlement import Period, SettlementRules
from tests.support.small_market import SECOND, TinyMarket

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = ScoringRules()
MODELS = point_models_for("americanfootball_nfl")
CROWD = dict.fromkeys(range(1, 6), 44.5)


def totals(points: Mapping[int, float], price: float = 1.95) -> TinyMarket:
    """A market in which each book offers one total, at the same price on both sides."""
    market = TinyMarket()
    market.starts[1] = market.now + 3_600 * SECOND
    for book, point in points.items():
        for outcome in (Outcome.OVER, Outcome.UNDER):
            market.prices[1, book, Market.TOTALS, outcome, point] = price
    return market


def middles_of(
    market: TinyMarket, seconds: int = 20, rules: Mapping[int, SettlementRules] | None = None
) -> list[tuple[MiddleBet, int, int]]:
    """The middles, each with the books of its over and its under."""
    poll = market.poll()
    matrix = LineMatrix(RULES.method)
    matrix.apply_starts(poll.starts)
    matrix.apply_quotes(poll.quotes, 1)
    matrix.apply_confirmations(poll.confirmations, poll.observed_at)
    known = rules or {}
    books = BookProfiles.from_profiles(
        matrix.book_ids.tolist(), lambda book: BookProfile(rules_for=lambda _: known.get(book))
    )
    now = poll.observed_at + (seconds - 20) * SECOND
    value = value_lines(
        view_lines(matrix, np.arange(len(matrix)), 2),
        books,
        ConsensusProvider(MODELS),
        now,
        RULES,
        EdgeThreshold(RULES.threshold_edge),
    )
    pooled = value.fair.consensus
    priced = PricedLines(value.lines, value.price, value.fair.probability[0], pooled.books, pooled.outlying_books)
    numbers = matrix.book_ids.tolist()
    return [(m, numbers[m.over[1]], numbers[m.under[1]]) for m in find_middles(priced, books, MODELS, now, RULES)]


def test_the_lowest_over_and_the_highest_under_are_paired_and_valued() -> None:
    ((middle, over, under),) = middles_of(totals(CROWD | {6: 41.5, 7: 47.5}))
    assert (over, under) == (6, 7)
    assert middle.guaranteed_return == pytest.approx(1.95 / 2 - 1)
    assert middle.best_return == pytest.approx(0.95)
    # 42 to 47 points, with a standard deviation of 13.3 around 44.5
    assert middle.middle_probability == pytest.approx(6 * 0.0298, abs=0.01)
    p = middle.middle_probability
    assert middle.expected_value == pytest.approx(p * 0.95 - (1 - p) * 0.025, abs=0.002)
    assert sum(middle.stake_fractions) == pytest.approx(1)


def test_no_middle_at_a_single_point_or_at_a_negative_expected_value() -> None:
    assert middles_of(totals(CROWD)) == []
    assert middles_of(totals(CROWD | {6: 45.5}, 1.8)) == []
    assert middles_of(TinyMarket()) == []


def test_stale_prices_and_started_events_give_no_middles() -> None:
    apart = CROWD | {6: 41.5, 7: 47.5}
    assert middles_of(totals(apart), seconds=700) == []
    market = totals(apart)
    market.starts[1] = market.now
    assert middles_of(market) == []


def test_books_known_to_settle_differently_are_not_paired() -> None:
    apart = CROWD | {6: 41.5, 7: 47.5}
    rules = {6: SettlementRules(Period.OVERTIME), 7: SettlementRules(Period.REGULATION)}
    ((_, over, under),) = middles_of(totals(apart), rules=rules)
    assert {over, under} != {6, 7}
    assert len({over, under} & {6, 7}) == 1
