"""On a simulated market, alerts find the true edges, estimate their value correctly, and flag no pricing error."""

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

    RecordFigure = Callable[[str, object], None]

pytestmark = pytest.mark.untraced
START = datetime(2026, 1, 10, 12, tzinfo=UTC)
STEP = timedelta(seconds=20)
HOURS = 1.0
POLLS = [START + i * STEP for i in range(int(HOURS * 3600 / STEP.total_seconds()))]
SPORTS = [league.key for league in LEAGUES]
RULES = ScoringRules()
MIN_CLEAR_EDGE = 0.06
"""True minus implied probability that an alert must not miss; the alert threshold on the estimate is .05."""
MAX_CLEAR_VALUE = 0.25
"""A larger true value may be flagged as an error."""
MIN_LASTING_POLLS = 3
"""Polls (a minute) that an edge must last to count."""
ERROR_KINDS = {"palpable_error", "swapped"}
SETTLED_SECONDS = 20
"""Time after news until all except the slow books reflect it."""
CI95 = 1.96
MIN_COVERAGE, MAX_COVERAGE = 0.86, 0.95
"""Coverage of the 90% interval; with a hundred alerts of a few dozen events, its standard error is three points."""
LEADERS = ("sim_apex", "sim_meridian", "sim_agora", "sim_forum", "sim_keystone")
WEIGHTS_BY_TABLE = {
    "realistic": dict(zip(LEADERS, (5.0, 4.0, 2.0, 1.0, 1.0), strict=True)),
    "equal": dict.fromkeys(LEADERS, 1.0),
}
OTHER_SEEDS = (31, 32)
OTHER_HOURS = 0.15


class Hour(NamedTuple):
    """The scorer's output for an hour of a sport, and the clear edges at each poll."""

    watch: Watch
    clear: list[set[Price]]


@pytest.fixture(scope="module")
def simulated_market() -> SimulatedMarket:
    return SimulatedMarket(seed=7)


@pytest.fixture(scope="module")
def hours(simulated_market: SimulatedMarket) -> dict[str, Hour]:
    """Prices and alerts poll by poll: the market computes the truth quickly for the state it has just generated."""
    found = {}
    for sport in SPORTS:
        watcher, clear = Watcher(simulated_market, sport, RULES), []
        for at in POLLS:
            watcher.poll(at)
            clear.append(set(find_clear_edges(simulated_market, sport, at)))
        found[sport] = Hour(watcher.watch, clear)
    return found


@pytest.fixture(scope="module")
def watches(hours: dict[str, Hour]) -> dict[str, Watch]:
    return {sport: hour.watch for sport, hour in hours.items()}


@pytest.fixture(scope="module")
def bets(watches: dict[str, Watch]) -> list[Bet]:
    return [bet for watch in watches.values() for bet in watch.bets]


@pytest.fixture
def record_figure(record_testsuite_property: RecordFigure) -> RecordFigure:
    """Records a figure in the JUnit report."""
    return lambda name, value: record_testsuite_property(f"simulated_truth.{name}", value)


def mean_by_event(bets: list[Bet], number: Callable[[Bet], float]) -> tuple[float, float]:
    """Mean over bets, and its standard error with all bets of an event counted as one observation."""
    groups: dict[str, list[float]] = defaultdict(list)
    for bet in bets:
        groups[bet.event.id].append(number(bet))
    sums = np.array([(sum(g), len(g)) for g in groups.values()])
    mean = sums[:, 0].sum() / sums[:, 1].sum()
    residuals = sums[:, 0] - mean * sums[:, 1]
    return float(mean), float(np.sqrt((residuals**2).sum()) / sums[:, 1].sum())


def understatement(bet: Bet) -> float:
    """True minus alerted expected value."""
    return bet.true_value - bet.alert.metrics.expected_value


def test_nearly_every_alert_is_a_true_edge(bets: list[Bet], record_figure: RecordFigure) -> None:
    precision = float(np.mean([bet.true_value > 0 for bet in bets]))
    record_figure("precision", precision)
    assert len(bets) > 150
    assert precision > 0.95


def test_clear_edges_are_found(hours: dict[str, Hour], record_figure: RecordFigure) -> None:
    lasting = [edge for hour in hours.values() for edge in find_lasting_edges(hour)]
    recall = float(np.mean([shown for _, shown in lasting]))
    record_figure("recall", recall)
    assert len(lasting) > 50
    assert {edge.market for edge, _ in lasting} == {"h2h", "h2h_3_way", "spreads", "totals"}
    assert recall > 0.95


def find_lasting_edges(hour: Hour) -> Iterator[tuple[Price, bool]]:
    """Every edge that was clear for a minute, and whether an alert was open for it while it was."""
    running: dict[Price, list[bool]] = {}
    for clear, showing in zip([*hour.clear, set()], [*hour.watch.showing, set()], strict=True):
        for gone in running.keys() - clear:
            shown = running.pop(gone)
            if len(shown) > MIN_LASTING_POLLS:
                yield gone, any(shown)
        for edge in clear:
            running.setdefault(edge, []).append(edge in showing)


def find_clear_edges(simulated: SimulatedMarket, sport: str, at: datetime) -> Iterator[Price]:
    """Prices before the start that are clearly too high, not by an error, on lines with enough books."""
    waiting = {e.id: e for e in simulated.listed_events(sport, at) if e.start > at.timestamp()}
    edges = [e for e in simulated.true_values(sport, at) if e.event in waiting]
    book_counts = Counter((e.event, e.quote.market, e.quote.outcome, e.quote.point) for e in edges)
    for event, book, quote, value in edges:
        if (
            value / quote.price > MIN_CLEAR_EDGE
            and value < MAX_CLEAR_VALUE
            and book_counts[event, quote.market, quote.outcome, quote.point]
            > RULES.min_books + 2  # clones do not count
            and not {f.kind for f in faults_behind(waiting[event], book, at.timestamp())} & {*ERROR_KINDS, "stale"}
        ):
            yield Price(event, book, quote.market, quote.outcome, quote.point)


def test_no_palpable_error_raises_an_alert(
    simulated_market: SimulatedMarket, watches: dict[str, Watch], bets: list[Bet]
) -> None:
    wrong = [b for b in bets if b.price.market.startswith("h2h") and {f.kind for f in b.faults()} & ERROR_KINDS]
    assert not [b for b in wrong if any(is_fault_of(fault, b.price.outcome) for fault in b.faults())]
    shown = {sport: len(find_shown_errors(simulated_market, sport)) for sport in SPORTS}
    assert sum(shown.values()) > 10
    assert all(watches[sport].suppressed["outlier"] >= shown[sport] for sport in SPORTS)


def test_alerted_likely_errors_are_errors(watches: dict[str, Watch], record_figure: RecordFigure) -> None:
    reported = [bet for watch in watches.values() for bet in watch.errors]
    right = [bool({f.kind for f in bet.faults()} & ERROR_KINDS) for bet in reported]
    record_figure("likely_errors", f"{sum(right)} of {len(right)}")
    assert len(reported) > 10
    assert np.mean(right) > 0.8


def is_fault_of(fault: Fault, outcome: str) -> bool:
    return fault.kind == "swapped" or (fault.kind == "palpable_error" and ("home", "away")[fault.outcome] == outcome)


def find_shown_errors(simulated: SimulatedMarket, sport: str) -> set[tuple[str, Fault]]:
    """The errors shown at one poll at least, before the start."""
    return {
        (event.id, fault)
        for at in POLLS
        for event, fault in simulated.active_faults(sport, at)
        if fault.kind in ERROR_KINDS and at.timestamp() < event.start and is_shown(event, fault, at)
    }


def is_shown(event: SimulatedEvent, fault: Fault, at: datetime) -> bool:
    """Whether the feed shows the error, with no other fault of the book hiding it."""
    return faults_behind(event, BOOKS[fault.book].key, at.timestamp()) == [fault]


def test_no_stale_book_raises_an_alert(bets: list[Bet], watches: dict[str, Watch]) -> None:
    assert all(bet.alert.metrics.price_age_s <= RULES.stale_after_seconds for bet in bets)
    for bet in bets:
        stale = [f for f in active_faults(bet.event, BOOK_INDEX[bet.price.book], bet.at) if f.kind == "stale"]
        assert all(bet.at - fault.begins <= RULES.stale_after_seconds for fault in stale)
    assert sum(watch.suppressed["stale"] for watch in watches.values()) > 0


def test_nothing_is_alerted_after_the_start(bets: list[Bet], watches: dict[str, Watch]) -> None:
    assert all(bet.event.start > bet.at for bet in bets)
    assert all(watch.suppressed["started"] > 5 for watch in watches.values())


def test_an_arbitrage_pays_on_every_outcome(watches: dict[str, Watch]) -> None:
    found = [alert for watch in watches.values() for alert in watch.arbitrages]
    assert len(found) > 60
    for alert in found:
        assert 0 < alert.metrics.expected_value <= RULES.max_arbitrage_return
        assert sum(leg.stake_fraction for leg in alert.metrics.legs) == pytest.approx(1)
        paid = [leg.price * leg.stake_fraction for leg in alert.metrics.legs]
        assert paid == pytest.approx([1 + alert.metrics.expected_value] * len(paid))


def test_expected_values_are_not_overstated(bets: list[Bet], record_figure: RecordFigure) -> None:
    """They may be too low: just after news, the consensus contains books that do not reflect it yet."""
    gap, error = mean_by_event(bets, understatement)
    record_figure("claimed", mean_by_event(bets, lambda b: b.alert.metrics.expected_value)[0])
    record_figure("true", mean_by_event(bets, lambda b: b.true_value)[0])
    record_figure("understated", f"{gap:.4f} +- {error:.4f}")
    assert gap > -CI95 * error
    assert gap + CI95 * error < 0.035


def test_in_a_settled_market_the_estimate_is_close_to_the_truth(bets: list[Bet], record_figure: RecordFigure) -> None:
    """The mispriced book is part of the consensus, with its usual weight, so the estimate is a tenth too low."""
    settled = [bet for bet in bets if bet.since_news() > SETTLED_SECONDS]
    gap, error = mean_by_event(settled, understatement)
    record_figure("understated_when_settled", f"{gap:.4f} +- {error:.4f}")
    assert len(settled) > 80
    assert gap - CI95 * error > -0.005
    assert gap + CI95 * error < 0.03


def is_covered(bet: Bet) -> bool:
    """Whether the true value is in the alert's interval of the expected value."""
    metric_values = bet.alert.metrics
    return (metric_values.expected_value_low or 0) <= bet.true_value <= (metric_values.expected_value_high or 0)


def test_the_interval_covers_the_true_value(bets: list[Bet], record_figure: RecordFigure) -> None:
    """For every alert, including those just after news."""
    coverage = float(np.mean([is_covered(bet) for bet in bets]))
    record_figure("interval_holds", coverage)
    assert MIN_COVERAGE < coverage < MAX_COVERAGE


@pytest.mark.parametrize("table", WEIGHTS_BY_TABLE)
def test_the_interval_covers_the_true_value_under_other_weights(table: str, record_figure: RecordFigure) -> None:
    """On markets of other seeds; neither table of weights knows which books are right."""
    watched = [
        Watcher(SimulatedMarket(seed), sport, RULES, WEIGHTS_BY_TABLE[table]).run(START, OTHER_HOURS, STEP)
        for seed in OTHER_SEEDS
        for sport in SPORTS
    ]
    bets = [bet for watch in watched for bet in watch.bets]
    coverage, precision = (
        float(np.mean([number(bet) for bet in bets])) for number in (is_covered, lambda b: b.true_value > 0)
    )
    record_figure(f"interval_holds_{table}", f"{coverage:.3f} of {len(bets)}, precision {precision:.3f}")
    assert len(bets) > 80
    assert MIN_COVERAGE < coverage < MAX_COVERAGE
    assert precision > 0.9


def test_realised_returns_agree_with_estimate_and_truth(bets: list[Bet], record_figure: RecordFigure) -> None:
    claimed, _ = mean_by_event(bets, lambda b: b.alert.metrics.expected_value)
    realised, error = mean_by_event(bets, lambda b: b.profit)
    luck, spread = mean_by_event(bets, lambda b: b.profit - b.true_value)
    record_figure("realised", f"{realised:.4f} +- {error:.4f}")
    assert abs(realised - claimed) < CI95 * error
    assert abs(luck) < CI95 * spread


def test_a_demo_shows_alerts(watches: dict[str, Watch]) -> None:
    minutes = HOURS * 60
    assert 2 < sum(len(watch.bets) for watch in watches.values()) / minutes < 8
    assert 0.5 < sum(len(watch.arbitrages) for watch in watches.values()) / minutes < 8


@pytest.mark.parametrize("hour", [0, 5, 9, 14, 19])
def test_the_first_alert_comes_within_half_a_minute(simulated_market: SimulatedMarket, hour: int) -> None:
    start = START.replace(hour=hour, minute=7 * hour % 60)
    watched = [Watcher(simulated_market, sport, RULES).run(start, 30 / 3600, STEP) for sport in SPORTS]
    assert sum(len(watch.bets) for watch in watched) > 0
