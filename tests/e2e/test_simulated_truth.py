"""Where the truth is known: alerts find the edges that are there, claim what they are worth, and fall for no error."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from edge_assets.sandbox.simulator.books import BOOK_INDEX, BOOKS
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.market import SimulatedMarket
from edge_assets.sandbox.simulator.quoting import active_faults
from ml.scoring import ScoringRules
from tests.support.virtual_scoring import Bet, Price, Watch, Watcher, faults_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_assets.sandbox.simulator.faults import Fault
    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent

    Note = Callable[[str, object], None]

pytestmark = pytest.mark.untraced
BEGINS = datetime(2026, 1, 10, 12, tzinfo=UTC)
STEP = timedelta(seconds=20)
HOURS = 1.0
POLLS = [BEGINS + i * STEP for i in range(int(HOURS * 3600 / STEP.total_seconds()))]
SPORTS = [league.key for league in LEAGUES]
RULES = ScoringRules()
CLEAR_EDGE = 0.06
"""True minus implied probability that an alert may not miss; the threshold for alerts is .05 of the estimate."""
LARGEST_VALUE = 0.25
"""Beyond, a price may pass for an error."""
LASTING = 3
"""Polls (a minute) that an edge must last to count as missed."""
ERRORS = {"palpable_error", "swapped"}
SETTLED = 20
"""Seconds after which all but the slow books have taken in news."""
CI95 = 1.96
LEAST_HELD, MOST_HELD = 0.86, 0.95
"""How often the 90% interval may hold: a hundred alerts of a few dozen events have a standard error of three points."""
LEADERS = ("sim_apex", "sim_meridian", "sim_agora", "sim_forum", "sim_keystone")
TABLES = {
    "realistic": dict(zip(LEADERS, (5.0, 4.0, 2.0, 1.0, 1.0), strict=True)),
    "equal": dict.fromkeys(LEADERS, 1.0),
}
OTHER_SEEDS = (31, 32)
OTHER_HOURS = 0.15


class Hour(NamedTuple):
    """What the scorer made of an hour of a sport, and the edges that were clear at each poll."""

    watch: Watch
    clear: list[set[Price]]


@pytest.fixture(scope="module")
def world() -> SimulatedMarket:
    return SimulatedMarket(seed=7)


@pytest.fixture(scope="module")
def hours(world: SimulatedMarket) -> dict[str, Hour]:
    """Board and alerts poll by poll: what the world has just composed it can tell the truth of quickly."""
    found = {}
    for sport in SPORTS:
        watcher, clear = Watcher(world, sport, RULES), []
        for at in POLLS:
            watcher.poll(at)
            clear.append(set(clear_now(world, sport, at)))
        found[sport] = Hour(watcher.watch, clear)
    return found


@pytest.fixture(scope="module")
def watches(hours: dict[str, Hour]) -> dict[str, Watch]:
    return {sport: hour.watch for sport, hour in hours.items()}


@pytest.fixture(scope="module")
def bets(watches: dict[str, Watch]) -> list[Bet]:
    return [bet for watch in watches.values() for bet in watch.bets]


@pytest.fixture
def note(record_testsuite_property: Note) -> Note:
    """Puts a figure on record, in the JUnit report."""
    return lambda name, value: record_testsuite_property(f"simulated_truth.{name}", value)


def by_event(bets: list[Bet], number: Callable[[Bet], float]) -> tuple[float, float]:
    """Mean over bets, and its standard error with all bets of an event counted as one observation."""
    groups: dict[str, list[float]] = defaultdict(list)
    for bet in bets:
        groups[bet.event.id].append(number(bet))
    sums = np.array([(sum(g), len(g)) for g in groups.values()])
    mean = sums[:, 0].sum() / sums[:, 1].sum()
    residuals = sums[:, 0] - mean * sums[:, 1]
    return float(mean), float(np.sqrt((residuals**2).sum()) / sums[:, 1].sum())


def understated(bet: Bet) -> float:
    """By how much the bet is truly worth more than the alert says."""
    return bet.true_value - bet.alert.metrics.expected_value


def test_nearly_every_alert_is_a_true_edge(bets: list[Bet], note: Note) -> None:
    precision = float(np.mean([bet.true_value > 0 for bet in bets]))
    note("precision", precision)
    assert len(bets) > 150
    assert precision > 0.95


def test_clear_edges_are_found(hours: dict[str, Hour], note: Note) -> None:
    lasting = [edge for hour in hours.values() for edge in lasting_edges(hour)]
    recall = float(np.mean([shown for _, shown in lasting]))
    note("recall", recall)
    assert len(lasting) > 50
    assert {edge.market for edge, _ in lasting} == {"h2h", "h2h_3_way", "spreads", "totals"}
    assert recall > 0.95


def lasting_edges(hour: Hour) -> Iterator[tuple[Price, bool]]:
    """Every edge that was clear for a minute, and whether an alert was open for it while it was."""
    running: dict[Price, list[bool]] = {}
    for clear, showing in zip([*hour.clear, set()], [*hour.watch.showing, set()], strict=True):
        for gone in running.keys() - clear:
            shown = running.pop(gone)
            if len(shown) > LASTING:
                yield gone, any(shown)
        for edge in clear:
            running.setdefault(edge, []).append(edge in showing)


def clear_now(world: SimulatedMarket, sport: str, at: datetime) -> Iterator[Price]:
    """Prices before the start that are clearly too high, by no error, on lines that enough books offer."""
    waiting = {e.id: e for e in world.listed_events(sport, at) if e.start > at.timestamp()}
    edges = [e for e in world.true_values(sport, at) if e.event in waiting]
    crowd = Counter((e.event, e.quote.market, e.quote.outcome, e.quote.point) for e in edges)
    for event, book, quote, value in edges:
        if (
            value / quote.price > CLEAR_EDGE
            and value < LARGEST_VALUE
            and crowd[event, quote.market, quote.outcome, quote.point] > RULES.min_books + 2  # clones do not count
            and not {f.kind for f in faults_behind(waiting[event], book, at.timestamp())} & {*ERRORS, "stale"}
        ):
            yield Price(event, book, quote.market, quote.outcome, quote.point)


def test_no_palpable_error_raises_an_alert(world: SimulatedMarket, watches: dict[str, Watch], bets: list[Bet]) -> None:
    wrong = [b for b in bets if b.price.market.startswith("h2h") and {f.kind for f in b.faults()} & ERRORS]
    assert not [b for b in wrong if any(concerns(fault, b.price.outcome) for fault in b.faults())]
    shown = {sport: len(shown_errors(world, sport)) for sport in SPORTS}
    assert sum(shown.values()) > 10
    assert all(watches[sport].suppressed["outlier"] >= shown[sport] for sport in SPORTS)


def test_what_is_told_as_a_likely_error_is_one(watches: dict[str, Watch], note: Note) -> None:
    reported = [bet for watch in watches.values() for bet in watch.errors]
    right = [bool({f.kind for f in bet.faults()} & ERRORS) for bet in reported]
    note("likely_errors", f"{sum(right)} of {len(right)}")
    assert len(reported) > 10
    assert np.mean(right) > 0.8


def concerns(fault: Fault, outcome: str) -> bool:
    return fault.kind == "swapped" or (fault.kind == "palpable_error" and ("home", "away")[fault.outcome] == outcome)


def shown_errors(world: SimulatedMarket, sport: str) -> set[tuple[str, Fault]]:
    """The errors on the board at one poll at least, before the start."""
    return {
        (event.id, fault)
        for at in POLLS
        for event, fault in world.active_faults(sport, at)
        if fault.kind in ERRORS and at.timestamp() < event.start and is_on_the_board(event, fault, at)
    }


def is_on_the_board(event: SimulatedEvent, fault: Fault, at: datetime) -> bool:
    """Whether the feed has seen it, and nothing else of the book has hidden it."""
    return faults_behind(event, BOOKS[fault.book].key, at.timestamp()) == [fault]


def test_no_stale_book_raises_an_alert(bets: list[Bet], watches: dict[str, Watch]) -> None:
    assert all(bet.alert.metrics.price_age_s <= RULES.stale_after_seconds for bet in bets)
    for bet in bets:
        stale = [f for f in active_faults(bet.event, BOOK_INDEX[bet.price.book], bet.at) if f.kind == "stale"]
        assert all(bet.at - fault.begins <= RULES.stale_after_seconds for fault in stale)
    assert sum(watch.suppressed["stale"] for watch in watches.values()) > 0


def test_nothing_is_alerted_once_play_has_begun(bets: list[Bet], watches: dict[str, Watch]) -> None:
    assert all(bet.event.start > bet.at for bet in bets)
    assert all(watch.suppressed["started"] > 5 for watch in watches.values())


def test_an_arbitrage_pays_whatever_happens(watches: dict[str, Watch]) -> None:
    found = [alert for watch in watches.values() for alert in watch.arbitrages]
    assert len(found) > 60
    for alert in found:
        assert 0 < alert.metrics.expected_value <= RULES.max_arbitrage_return
        assert sum(leg.stake_fraction for leg in alert.metrics.legs) == pytest.approx(1)
        paid = [leg.price * leg.stake_fraction for leg in alert.metrics.legs]
        assert paid == pytest.approx([1 + alert.metrics.expected_value] * len(paid))


def test_no_claim_is_wishful(bets: list[Bet], note: Note) -> None:
    """A claim may be too low: just after news the consensus holds books that have not heard them."""
    gap, error = by_event(bets, understated)
    note("claimed", by_event(bets, lambda b: b.alert.metrics.expected_value)[0])
    note("true", by_event(bets, lambda b: b.true_value)[0])
    note("understated", f"{gap:.4f} +- {error:.4f}")
    assert gap > -CI95 * error
    assert gap + CI95 * error < 0.035


def test_where_the_market_is_settled_the_claim_is_near_the_truth_and_below_it(bets: list[Bet], note: Note) -> None:
    """The book that errs is one of those pooled, and by weights that do not know it: the claim is a tenth too low."""
    settled = [bet for bet in bets if bet.since_news() > SETTLED]
    gap, error = by_event(settled, understated)
    note("understated_when_settled", f"{gap:.4f} +- {error:.4f}")
    assert len(settled) > 80
    assert gap - CI95 * error > -0.005
    assert gap + CI95 * error < 0.03


def holds(bet: Bet) -> bool:
    """Whether the interval of the alert's expected value holds the true one."""
    metric_values = bet.alert.metrics
    return (metric_values.expected_value_low or 0) <= bet.true_value <= (metric_values.expected_value_high or 0)


def test_the_interval_of_the_value_holds_the_truth(bets: list[Bet], note: Note) -> None:
    """Of every alert, just after news as well."""
    held = float(np.mean([holds(bet) for bet in bets]))
    note("interval_holds", held)
    assert LEAST_HELD < held < MOST_HELD


@pytest.mark.parametrize("table", TABLES)
def test_whatever_the_books_weigh_the_interval_holds(table: str, note: Note) -> None:
    """On worlds of other seeds; neither table knows which books are right."""
    watched = [
        Watcher(SimulatedMarket(seed), sport, RULES, TABLES[table]).run(BEGINS, OTHER_HOURS, STEP)
        for seed in OTHER_SEEDS
        for sport in SPORTS
    ]
    bets = [bet for watch in watched for bet in watch.bets]
    held, precision = (float(np.mean([number(bet) for bet in bets])) for number in (holds, lambda b: b.true_value > 0))
    note(f"interval_holds_{table}", f"{held:.3f} of {len(bets)}, precision {precision:.3f}")
    assert len(bets) > 80
    assert LEAST_HELD < held < MOST_HELD
    assert precision > 0.9


def test_realised_returns_agree_with_claim_and_truth(bets: list[Bet], note: Note) -> None:
    claimed, _ = by_event(bets, lambda b: b.alert.metrics.expected_value)
    realised, error = by_event(bets, lambda b: b.profit)
    luck, spread = by_event(bets, lambda b: b.profit - b.true_value)
    note("realised", f"{realised:.4f} +- {error:.4f}")
    assert abs(realised - claimed) < CI95 * error
    assert abs(luck) < CI95 * spread


def test_a_demo_has_its_alerts(watches: dict[str, Watch]) -> None:
    minutes = HOURS * 60
    assert 2 < sum(len(watch.bets) for watch in watches.values()) / minutes < 8
    assert 0.5 < sum(len(watch.arbitrages) for watch in watches.values()) / minutes < 8


@pytest.mark.parametrize("hour", [0, 5, 9, 14, 19])
def test_the_first_alert_comes_within_half_a_minute(world: SimulatedMarket, hour: int) -> None:
    begins = BEGINS.replace(hour=hour, minute=7 * hour % 60)
    watched = [Watcher(world, sport, RULES).run(begins, 30 / 3600, STEP) for sport in SPORTS]
    assert sum(len(watch.bets) for watch in watched) > 0
