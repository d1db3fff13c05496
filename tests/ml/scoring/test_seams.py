"""The scorer prices lines, chooses bets and stakes them by the provider and the strategy it is given."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.quotes import Market, Outcome
from ml.scoring import ScoringRules, SportScorer
from ml.scoring.fair_prices import ConsensusProvider, FairPriceBatch, FairPrices
from ml.scoring.strategy import EdgeThreshold, Portfolio, ValuedBets, WantedStakes
from ml.staking import StakePolicy, apply_controls, kelly_fraction
from tests.support.small_market import NAN, SECOND, TinyMarket

if TYPE_CHECKING:
    from ml.quotes import Micros
    from ml.scoring.books import BookProfiles
    from ml.scoring.matrix import LineView

RULES = ScoringRules()


def two_way_market(books: int = 6, price: float = 1.95) -> TinyMarket:
    market = TinyMarket()
    market.starts[1] = market.now + 3_600 * SECOND
    for book in range(1, books + 1):
        market.offer(book, price, price)
    return market


@dataclass(frozen=True)
class HomeBeliever:
    """A model that gives the home side a higher probability than any book does."""

    home: float
    stays_within_books: bool = False

    def price_lines(self, lines: LineView, books: BookProfiles, now: Micros, rules: ScoringRules) -> FairPrices:
        fair = ConsensusProvider({}).price_lines(lines, books, now, rules)
        probability = np.full_like(fair.probability, 1 - self.home)
        probability[0] = self.home
        return replace(fair, probability=probability)


def test_a_model_raises_alerts_that_the_consensus_does_not() -> None:
    market = two_way_market()
    poll = market.poll()
    assert SportScorer(RULES).apply_poll(poll).alerts == []

    alerts = SportScorer(RULES, provider=HomeBeliever(0.6)).apply_poll(poll).alerts

    assert {alert.key.outcome for alert in alerts} == {Outcome.HOME}
    assert len(alerts) == 6
    assert {alert.metrics.fair_probability for alert in alerts} == {0.6}
    assert alerts[0].metrics.edge == pytest.approx(0.6 - 1 / 1.95)


@dataclass(frozen=True)
class LongShots:
    """A strategy of small stakes on prices above 3, regardless of edge."""

    min_edge: float = -1.0

    def find_candidates(self, fair: FairPrices, price: np.ndarray) -> tuple[np.ndarray, ...]:
        return (price > 3).nonzero()

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        wanted = EdgeThreshold(self.min_edge).request_stakes(bets, portfolio)
        return wanted._replace(stakes=np.full(len(bets.price), 0.002))


def test_a_strategy_chooses_the_candidates_and_their_stakes() -> None:
    market = two_way_market()
    for book in range(1, 7):
        market.offer(book, 4.0, 1.28)
    alerts = SportScorer(RULES, strategy=LongShots()).apply_poll(market.poll()).alerts
    assert [(a.key.outcome, a.metrics.price) for a in alerts] == [(Outcome.HOME, 4.0)] * 6
    assert {0 < (a.metrics.stake_fraction or 0) <= 0.001 for a in alerts} == {True}  # half of what it requests
    assert {a.metrics.kelly_fraction for a in alerts} == {0.0}


def test_the_edge_strategy_requests_kelly_stakes_which_the_controls_limit() -> None:
    bets = ValuedBets(np.array([0.55, 0.9]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
    wanted = EdgeThreshold(0.05).request_stakes(bets, Portfolio())
    np.testing.assert_array_equal(wanted.stakes, kelly_fraction(bets.fair_probability, bets.price))
    staked = apply_controls(*wanted, StakePolicy()).stakes
    assert (staked <= StakePolicy().bet).all()
    broke = EdgeThreshold(0.05).request_stakes(bets, Portfolio(bankroll=0.75, peak=1.0))
    assert not apply_controls(*broke, StakePolicy()).stakes.any()


def test_fair_prices_of_all_lines_equal_those_of_the_alerts() -> None:
    scorer, compared = SportScorer(replace(RULES, threshold_edge=0.01)), 0
    chance, market = random.Random(5), TinyMarket()
    for _ in range(200):
        event, book = chance.randrange(1, 5), chance.randrange(1, 8)
        home = chance.choice([1.9, 1.95, 2.0, 2.15, 2.2])
        market.offer(book, home, round(1 / (1.04 - 1 / home), 2), event)
        alerts = scorer.apply_poll(market.poll()).alerts
        fair = fair_by_selection(scorer.fair_prices().prices)
        for alert in alerts:
            if alert.state != "closed" and alert.key.kind == "value":
                assert alert.key.outcome is not None
                assert alert.metrics.fair_probability == fair[alert.key.event, alert.key.market, alert.key.outcome]
                compared += 1
    assert compared > 20


def fair_by_selection(batch: FairPriceBatch) -> dict[tuple[int, int, int], float]:
    columns = (batch.event, batch.market, batch.outcome, batch.probability)
    return {(e, m, o): p for e, m, o, p in zip(*(c.tolist() for c in columns), strict=True)}


def test_a_line_that_no_book_prices_completely_has_no_fair_price() -> None:
    market = two_way_market(books=1)
    del market.prices[1, 1, Market.H2H, Outcome.AWAY, NAN]
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    assert len(scorer.fair_prices().prices) == 0
    assert len(SportScorer(RULES).fair_prices().prices) == 0
