"""Where the truth is known: alerts find the edges that are there, claim what they are worth, and fall for no error."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.feeds.simulate.world import World
from ml.scoring import ScoringRules
from tests.e2e.virtual_hours import Bet, Watch, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

BEGINS = datetime(2026, 1, 10, 12, tzinfo=UTC)
STEP = timedelta(seconds=15)
HOURS = 1.0
SPORTS = ("basketball_nba", "soccer_epl", "icehockey_nhl")
RULES = ScoringRules()
CLEAR_EDGE = 0.08
"""Fair minus implied probability from which an edge is beyond doubt; the threshold for alerts is .05."""
LASTING = 4
"""Polls (a minute) that an edge must last to count as missed."""


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=7)


@pytest.fixture(scope="module")
def watches(world: World) -> dict[str, Watch]:
    return {sport: Watcher(world, sport, RULES).run(BEGINS, HOURS, STEP) for sport in SPORTS}


@pytest.fixture(scope="module")
def bets(watches: dict[str, Watch]) -> list[Bet]:
    return [bet for watch in watches.values() for bet in watch.bets]


def by_event(bets: list[Bet], number: Callable[[Bet], float]) -> tuple[float, float]:
    """Mean over bets, and its standard error with all bets of an event counted as one observation."""
    groups: dict[str, list[float]] = defaultdict(list)
    for bet in bets:
        groups[bet.event.id].append(number(bet))
    sums = np.array([(sum(g), len(g)) for g in groups.values()])
    mean = sums[:, 0].sum() / sums[:, 1].sum()
    residuals = sums[:, 0] - mean * sums[:, 1]
    return float(mean), float(np.sqrt((residuals**2).sum()) / sums[:, 1].sum())


def test_nearly_every_alert_is_a_true_edge(bets: list[Bet], record_property: Callable[[str, object], None]) -> None:
    precision = np.mean([bet.true_value > 0 for bet in bets])
    record_property("precision", float(precision))
    assert len(bets) > 100
    assert precision > 0.9


def test_clear_edges_are_found(
    world: World, watches: dict[str, Watch], record_property: Callable[[str, object], None]
) -> None:
    found = missed = 0
    for sport, watch in watches.items():
        alerted = {(b.event.id, b.book, b.market, b.outcome) for b in watch.bets}
        for edge in lasting_edges(world, sport):
            found, missed = found + (edge in alerted), missed + (edge not in alerted)
    recall = found / (found + missed)
    record_property("recall", recall)
    assert found + missed > 30
    assert recall > 0.8


def lasting_edges(world: World, sport: str) -> set[tuple[str, str, str, str]]:
    """Moneyline prices that were clearly too high for a minute, before the start and not by an error."""
    runs: dict[tuple[str, str, str, str], int] = defaultdict(int)
    lasting = set()
    for i in range(int(HOURS * 3600 / STEP.total_seconds())):
        at = BEGINS + i * STEP
        wrong = {(e.id, BOOKS[f.book].key) for e, f in world.faults(sport, at) if f.kind != "generous"}
        waiting = {e.id for e in world.listed(sport, at) if e.start > at.timestamp()}
        clear = {
            (e.event, e.book, e.quote.market, e.quote.outcome)
            for e in world.edges(sport, at)
            if (1 + e.expected_value) / e.quote.price - 1 / e.quote.price > CLEAR_EDGE
            and e.expected_value < RULES.implausible_value
            and e.event in waiting
            and (e.event, e.book) not in wrong
            and e.quote.market.startswith("h2h")
            and not (sport == "icehockey_nhl" and e.quote.market == "h2h_3_way")  # posted by three books: thin
        }
        for key in list(runs):
            if key not in clear:
                del runs[key]
        for key in clear:
            runs[key] += 1
        lasting |= {key for key, n in runs.items() if n > LASTING}
    return lasting


def test_no_palpable_error_and_no_stale_book_raises_an_alert(bets: list[Bet], watches: dict[str, Watch]) -> None:
    for bet in bets:
        at = bet.alert.observed_at / 1e6
        wrong = [f for f in bet.event.faults if BOOKS[f.book].key == bet.book and f.holds(at)]
        errors = [f for f in wrong if f.kind == "palpable_error" and bet.market.startswith("h2h")]
        assert not [f for f in errors if ("home", "away")[f.outcome] == bet.outcome]
        assert not [f for f in wrong if f.kind == "stale" and at - f.begins > RULES.stale_after_seconds]
        assert bet.alert.worth.price_age_s <= RULES.stale_after_seconds
    assert sum(watch.suppressed["outlier"] for watch in watches.values()) > 10


def test_nothing_is_alerted_once_play_has_begun(bets: list[Bet]) -> None:
    assert all(bet.event.start > bet.alert.observed_at / 1e6 for bet in bets)


def test_real_arbitrages_are_found(watches: dict[str, Watch]) -> None:
    returns = [a.worth.expected_value for watch in watches.values() for a in watch.arbitrages]
    assert len(returns) > 20
    assert all(0 < r <= RULES.implausible_arbitrage for r in returns)


def test_the_claimed_value_is_not_wishful(bets: list[Bet], record_property: Callable[[str, object], None]) -> None:
    """The consensus still holds some books that have not heard the news, so it claims a little too little."""
    claimed, _ = by_event(bets, lambda b: b.alert.worth.expected_value)
    true, error = by_event(bets, lambda b: b.true_value)
    record_property("claimed", claimed)
    record_property("true", true)
    assert claimed < true + 2 * error
    assert claimed > true - 0.06


def test_realised_returns_agree_with_the_claim(bets: list[Bet], record_property: Callable[[str, object], None]) -> None:
    claimed, _ = by_event(bets, lambda b: b.alert.worth.expected_value)
    realised, error = by_event(bets, lambda b: b.profit)
    record_property("realised", realised)
    record_property("standard_error", error)
    assert abs(realised - claimed) < 1.96 * error
