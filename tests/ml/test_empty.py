"""Nothing to value is nothing to raise about: no lines, no books, no outcome that anybody offers."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.warehouse import movements, pricing
from ml import arbitrage, market, points, staking
from ml.market.palpable import error_probability, palpable_features
from ml.movement import MarketMoves, MovementDetector, count_followers, is_in_steam
from ml.quotes import EventStarts, Market, MarketConfirmations, PollChanges, QuoteBatch
from ml.scoring import BookProfile, BookProfiles, ScoringRules, SportScorer
from ml.scoring.alert_book import Moment
from ml.scoring.alert_metrics import compute_metrics
from ml.scoring.fair_prices import ConsensusProvider
from ml.scoring.matrix import LineView
from ml.scoring.prefilter import can_alert
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RULES = ScoringRules()
STRATEGY = EdgeThreshold(RULES.threshold_edge)
MODELS = points.point_models_for("americanfootball_nfl")
SHAPES = list(product((0, 2), (0, 3), (2, 3)))
"""Lines, books and outcomes."""
OF_OUTCOMES = {2: (Market.H2H, Market.SPREADS, Market.TOTALS), 3: (Market.H2H_3_WAY,)}
NOTHING = np.empty(0)
NO_POLL = QuoteBatch.empty(), MarketConfirmations.empty(), EventStarts.empty()

shaped = pytest.mark.parametrize("shape", SHAPES, ids=str)


def empty_prices(shape: tuple[int, ...]) -> Array:
    return np.full(shape, np.nan)


def view(prices: Array, of: Market) -> LineView:
    lines, books, _ = prices.shape
    return LineView.from_prices(
        prices, np.zeros((lines, books), np.int64), commence_at=np.full(lines, 2), market=of,
        point=np.arange(lines, dtype=np.float64), ladder=np.zeros(lines, np.intp), method=RULES.method,
    )  # fmt: skip


@shaped
def test_lines_without_a_price_have_no_value(shape: tuple[int, int, int]) -> None:
    prices = empty_prices(shape)
    for of in OF_OUTCOMES[shape[2]]:
        lines = view(prices, of)
        value = value_lines(
            lines,
            BookProfiles.from_profiles(range(shape[1]), lambda _: BookProfile(commission=0.02)),
            ConsensusProvider(MODELS),
            1,
            RULES,
            STRATEGY,
        )
        assert not value.verdict.any()
        assert not value.arbitrages.verdict.any()
        assert not compute_metrics(value, slice(None), MODELS, 1, RULES, STRATEGY).price.size
        assert not can_alert(lines.price, lines.fair_log_odds, RULES.threshold_edge).any()
        assert can_alert(lines.price, lines.fair_log_odds, RULES.threshold_edge).shape == shape[:1]


@shaped
def test_books_without_a_price_have_no_opinion(shape: tuple[int, int, int]) -> None:
    prices, weight = empty_prices(shape), np.ones(shape[:2])
    for fair in market.devig_by_method(prices, market.FORMULA_METHODS).values():
        assert np.isnan(fair.probabilities).all()
    opinion = market.to_log_odds(market.devig(prices))
    assert not market.pool(opinion, weight, groups=market.group_clones(range(shape[1]))).books.any()
    assert np.isnan(market.pool_by_method([opinion, opinion], weight)).all()
    assert np.isnan(market.market_width(prices[..., :2])).all()
    none = np.empty(0, np.intp)
    assert not error_probability(palpable_features(prices, weight > 0, (none, none, none))).size


@shaped
def test_books_without_a_price_make_no_arbitrage(shape: tuple[int, int, int]) -> None:
    lines, books, outcomes = shape
    prices, free = empty_prices(shape), np.zeros(books)
    assert np.isnan(arbitrage.find_arbitrage(prices, np.ones(books, bool), free).margin).all()
    found = arbitrage.find_compatible_arbitrage(prices, [None] * books, commission=free)
    assert np.isnan(found.compatible.margin).all()
    held = arbitrage.low_hold(prices, commission=free)
    assert (held.lowest_book == arbitrage.NO_BOOK).all()
    assert not arbitrage.rank_by_hold(held.combined).size
    assert not arbitrage.size_limited_arbitrage(prices, np.ones(shape), 100.0).total.any()
    assert not arbitrage.round_stakes(empty_prices((lines, outcomes)), 100.0, 1.0).stake.any()
    if books:
        assert (arbitrage.best_conversion(prices, 0).outcome == arbitrage.NO_BOOK).all()


@shaped
def test_books_without_a_price_make_no_middle(shape: tuple[int, int, int]) -> None:
    side, cells = empty_prices(shape[:2]), np.full((shape[0], 5), 0.2)
    best = arbitrage.best_pairs(side, side, side, side, pmf=cells, low=0)
    assert (best.over_book == arbitrage.NO_BOOK).all()
    assert best.over_book.shape == shape[:1]
    ruled, conflicts = arbitrage.find_compatible_pairs(side, side, side, side, [None] * shape[1], pmf=cells, low=0)
    assert (ruled.under_book == arbitrage.NO_BOOK).all()
    assert not conflicts.any()


@shaped
def test_ladders_without_a_price_carry_nothing(shape: tuple[int, int, int]) -> None:
    side, weight = empty_prices(shape[:2]), np.ones(shape[:2])
    for model in MODELS.values():
        carried = points.translate_points(
            model, np.zeros(shape[0], np.intp), np.arange(shape[0], dtype=np.float64), side, weight
        )
        assert np.isnan(carried.fair_log_odds).all()
        assert np.isnan(points.fit_points(model, side, side, weight).parameters).all()
        assert not points.line_win_push_loss(model, NOTHING, NOTHING).push.size


def test_no_bets_need_no_stakes() -> None:
    assert not staking.simultaneous_kelly([]).stakes.size
    slip = staking.StakeRequests(
        NOTHING, NOTHING, event=None, league=None, book=None, day=None, at_risk={}, bankroll=1, peak=1
    )
    assert not staking.apply_controls(NOTHING, slip, staking.StakePolicy()).stakes.size
    assert arbitrage.best_stakes(np.empty((2, 0)), 100.0).guaranteed_profit == 0


def test_no_moves_are_followed_by_none() -> None:
    none = np.empty(0, np.int64)
    seen = MarketMoves(none.astype(np.int32), none.astype(np.int16), none.astype(np.int16), none)
    assert not count_followers(seen, none, none, NOTHING).leader.size
    assert not is_in_steam(seen, NOTHING, seen).size


def test_polls_without_a_quote_are_watched() -> None:
    watch = MovementDetector()
    polls = [PollChanges(i, "test", i * 10**9, i * 10**9, "run", *NO_POLL) for i in (1, 2)]
    assert [watch.apply_poll(poll) for poll in polls] == [[], []]
    assert not watch.lead_lag().lead_share().size
    for some in (polls, polls[:1], []):
        assert not any(column.size for column in movements._run_detector(some, MovementDetector())[0].values())


def test_no_quotes_are_priced() -> None:
    quotes = {
        name: np.empty(0, kind)
        for name, kind in {
            "event_id": "i4", "decision_point_id": "i4", "market_id": "i2", "line_point": "f4", "outcome_id": "i2",
            "book_id": "i2", "price_decimal": "f8", "confirmed_at": "i8",
        }.items()
    }  # fmt: skip
    lines, priced = pricing.price_quotes(quotes, np.empty(0, np.int64), np.empty(0, "U9"), lambda _: BookProfile())
    assert not any(column.size for column in (*lines.values(), *priced.values()))


@pytest.mark.parametrize("polls", [1, 3])
def test_a_sport_without_books_is_scored(polls: int) -> None:
    """The feed lists events long before a book prices them, and answers `[]` out of season."""
    scorer, listed = SportScorer(RULES, point_models=MODELS), EventStarts.from_rows([(1, 10**12)])
    for i in range(1, polls + 1):
        empty = PollChanges(
            i, "test", i * 10**7, i * 10**7, "run", QuoteBatch.empty(), MarketConfirmations.empty(), listed
        )
        assert not scorer.apply_poll(empty).alerts
        assert not scorer.advance_time(i * 10**7 + 1).alerts


@pytest.mark.parametrize("kept", [Market.OUTRIGHTS, Market.H2H_LAY])
def test_a_sport_of_unvalued_markets_is_scored_and_restored(kept: Market) -> None:
    quotes = QuoteBatch.from_rows([(1, book, kept, 7, np.nan, 9.0, 10**7) for book in (1, 2)])
    times = MarketConfirmations.from_rows([(1, book, kept, 10**7) for book in (1, 2)])
    starts = EventStarts.from_rows([(1, 10**12)])
    scorer, again = SportScorer(RULES), SportScorer(RULES)
    assert not scorer.apply_poll(PollChanges(1, "test", 10**7, 10**7, "run", quotes, times, starts)).alerts
    again.restore(quotes, np.ones(2, np.int64), times, starts, Moment(10**7, 1), [])
    for one in (scorer, again):
        assert not one.apply_poll(PollChanges(2, "test", 2 * 10**7, 2 * 10**7, "run", *NO_POLL)).alerts


def test_a_sport_that_empties_and_fills_again_is_scored() -> None:
    starts = EventStarts.from_rows([(1, 10**12)])
    prices = {1: 1.95, 2: np.nan, 3: 1.95}
    scorer = SportScorer(RULES, point_models=MODELS)
    for i, price in prices.items():
        rows = [(1, b, Market.H2H, o, np.nan, price, i * 10**7) for b in (1, 2, 3, 4) for o in (1, 2)]
        listed = [] if np.isnan(price) else [(1, b, Market.H2H, i * 10**7) for b in (1, 2, 3, 4)]
        times = MarketConfirmations.from_rows(listed)
        found = scorer.apply_poll(
            PollChanges(i, "test", i * 10**7, i * 10**7, "run", QuoteBatch.from_rows(rows), times, starts)
        )
        assert not found.alerts
