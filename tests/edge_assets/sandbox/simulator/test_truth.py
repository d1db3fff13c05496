"""True probabilities are coherent and calibrated to the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.sandbox.simulator.fixtures import draw_result
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.model import NewsState, compute_distributions
from tests.support.simulated_markets import KEYS, NOON, fixtures, utc_time

if TYPE_CHECKING:
    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent
    from edge_assets.sandbox.simulator.market import SimulatedMarket

EVENTS = 600
CHI_SQUARE_10 = 29.6
"""The 0.999 quantile with ten degrees of freedom."""
Z = 3.3
ROUNDING = 1e-12
OPPOSITE = {"home": "away", "away": "home", "over": "under", "under": "over"}


@pytest.mark.parametrize("sport", KEYS)
def test_probabilities_add_up_to_one(simulator: SimulatedMarket, sport: str) -> None:
    for event in simulator.listed_events(sport, NOON):
        for edge in simulator.true_values(sport, NOON):
            if edge.event != event.id:
                continue
            market, outcome, point = edge.quote.market, edge.quote.outcome, edge.quote.point
            chance = simulator.true_probabilities(event, market, outcome, point, NOON)
            assert 0 <= chance.win <= 1
            if market == "h2h_3_way":
                sides = [
                    simulator.true_probabilities(event, market, o, None, NOON).win for o in ("home", "away", "draw")
                ]
                assert sum(sides) == pytest.approx(1)
                continue
            other = simulator.true_probabilities(
                event,
                market,
                OPPOSITE[outcome],
                None if point is None else -point if market == "spreads" else point,
                NOON,
            )
            assert other.push == chance.push
            assert chance.win + other.win + chance.push == pytest.approx(1)
            whole = point is not None and point == int(point)
            assert (chance.push > 0) == (whole and (event.league.three_way or (market, point) != ("spreads", 0)))
            assert edge.expected_value == pytest.approx(chance.win * edge.quote.price + chance.push - 1)


@pytest.mark.parametrize("sport", KEYS)
def test_markets_are_consistent(simulator: SimulatedMarket, sport: str) -> None:
    """Spread and total probabilities are monotonic, and a handicap of -0.5 equals the moneyline."""
    for event in simulator.listed_events(sport, NOON):
        at = utc_time(event.start - 60)
        ladder = [simulator.true_probabilities(event, "spreads", "home", p / 2, at).win for p in range(-20, 21)]
        assert np.diff(ladder).min() > -ROUNDING
        overs = [simulator.true_probabilities(event, "totals", "over", p / 2, at).win for p in range(0, 300, 7)]
        assert np.diff(overs).max() < ROUNDING
        moneyline = "h2h_3_way" if event.league.three_way else "h2h"
        assert simulator.true_probabilities(event, moneyline, "home", None, at).win == pytest.approx(
            simulator.true_probabilities(event, "spreads", "home", -0.5, at).win
        )


def test_distributions_agree_with_simulation() -> None:
    """Against a million games drawn like `draw_result` does."""
    rng = np.random.default_rng(3)
    known = NewsState(3.3, 2.8, 1.6)
    home, away = (np.maximum(0, np.rint(rng.normal(m, known.deviation, 1_000_000))) for m in (known.home, known.away))
    view = compute_distributions(known, next(league for league in LEAGUES if league.three_way))
    drawn = [(home > away).mean(), (home == away).mean(), (home + away > 5.5).mean(), (home + away == 6).mean()]
    message = [
        *view.final.probability_above(0),
        view.total.probability_above(5.5).win,
        view.total.probability_above(6).push,
    ]
    assert message == pytest.approx(drawn, abs=0.002)


def test_key_numbers_are_drawn_as_often_as_the_distribution_states() -> None:
    rng, league, known = np.random.default_rng(4), LEAGUES[0], NewsState(24.0, 21.5, 9.0)
    games = np.array([draw_result(rng, league, known).final for _ in range(20_000)])
    margin, total = games[:, 0] - games[:, 1], games.sum(axis=1)
    view = compute_distributions(known, league)
    for number in (3, -3, 7, 5):
        assert view.final.probability_above(number).push == pytest.approx((margin == number).mean(), abs=0.005)
    assert view.final.probability_above(3).push > 2.5 * view.final.probability_above(5).push
    assert view.total.probability_above(45).push == pytest.approx((total == 45).mean(), abs=0.005)


@pytest.fixture(scope="module")
def fixtures_by_league() -> dict[str, list[SimulatedEvent]]:
    return {league.key: list(fixtures(11, EVENTS, i)) for i, league in enumerate(LEAGUES)}


def bets_and_results(
    simulator: SimulatedMarket, events: list[SimulatedEvent], before: int
) -> tuple[np.ndarray, np.ndarray]:
    """For one bet in each market of each event: its true probability `before` the start, and whether it won."""
    chances, wins = [], []
    for event in events:
        moneyline = "h2h_3_way" if event.league.three_way else "h2h"
        middle = round(event.league.mean_points * 2)
        for market, outcome, point in [(moneyline, "home", None), ("spreads", "away", 1.5), ("totals", "over", middle)]:
            chance = simulator.true_probabilities(event, market, outcome, point, utc_time(event.start - before))
            won = simulator.settle(event, market, outcome, point)
            if won is not None:
                chances.append(chance.win_if_decided)
                wins.append(won)
    return np.array(chances).reshape(-1), np.array(wins)


@pytest.mark.parametrize("sport", KEYS)
@pytest.mark.parametrize("before", [0, 5_000])
def test_probabilities_are_calibrated(
    simulator: SimulatedMarket, fixtures_by_league: dict[str, list[SimulatedEvent]], sport: str, before: int
) -> None:
    """Deciles of true probabilities against wins (Hosmer and Lemeshow 1980, without fitted parameters): at the start,
    and long before it.
    """
    chance, won = bets_and_results(simulator, fixtures_by_league[sport], before)
    groups = np.array_split(np.argsort(chance), 10)
    excess = [(won[g].sum() - chance[g].sum()) ** 2 / (chance[g] * (1 - chance[g])).sum() for g in groups]
    assert sum(excess) < CHI_SQUARE_10


@pytest.mark.parametrize("sport", KEYS)
def test_true_probabilities_are_a_martingale(
    simulator: SimulatedMarket, fixtures_by_league: dict[str, list[SimulatedEvent]], sport: str
) -> None:
    """The mean change of true probabilities from early to the start is zero, also for favourites."""
    moneyline = "h2h_3_way" if sport == "soccer_epl" else "h2h"
    early, late = (
        np.array(
            [
                simulator.true_probabilities(e, moneyline, "home", None, utc_time(e.start - s)).win
                for e in fixtures_by_league[sport]
            ]
        )
        for s in (5_000, 0)
    )
    gain = late - early
    assert gain.std() > 0.02
    assert abs(gain.mean()) < Z * gain.std() / np.sqrt(len(gain))
    favourite = early > np.median(early)
    assert abs(gain[favourite].mean()) < Z * gain[favourite].std() / np.sqrt(favourite.sum())


def test_push_probabilities_are_calibrated(
    simulator: SimulatedMarket, fixtures_by_league: dict[str, list[SimulatedEvent]]
) -> None:
    events = fixtures_by_league["icehockey_nhl"]
    chance = np.array([simulator.true_probabilities(e, "totals", "over", 6.0, utc_time(e.start)).push for e in events])
    pushed = np.array([simulator.settle(e, "totals", "over", 6.0) is None for e in events])
    assert abs(pushed.sum() - chance.sum()) < Z * np.sqrt((chance * (1 - chance)).sum())
    assert pushed.sum() > 50


@pytest.mark.parametrize("sport", KEYS)
def test_bets_are_settled_by_the_score(
    simulator: SimulatedMarket, fixtures_by_league: dict[str, list[SimulatedEvent]], sport: str
) -> None:
    for event in fixtures_by_league[sport][:50]:
        home, away = event.result.final
        assert simulator.settle(event, "spreads", "home", float(away - home)) is None
        assert simulator.settle(event, "spreads", "home", away - home + 0.5) == 1.0
        assert simulator.settle(event, "spreads", "away", home - away - 0.5) == 0.0
        total = float(sum(event.result.regulation))
        assert simulator.settle(event, "totals", "over", total) is None
        assert simulator.settle(event, "totals", "under", total + 0.5) == 1.0
        three = [simulator.settle(event, "h2h_3_way", o, None) for o in ("home", "away", "draw")]
        assert sum(w or 0.0 for w in three) == 1.0
