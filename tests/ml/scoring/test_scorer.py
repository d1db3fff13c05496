"""The life cycle of alerts, and the reasons for which candidates are suppressed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.points import point_models_for
from ml.quotes import EventStarts, Market, Outcome
from ml.scoring import Alert, AlertKey, BookProfile, ScoringRules, SportScorer
from ml.scoring.alert_book import Moment
from ml.settlement import Period, SettlementRules
from tests.support.small_market import SECOND, TinyMarket, fair_market

RULES = ScoringRules(threshold_edge=0.02)
GENEROUS = 2.2  # the fair price of evens is 2.0


def open_alerts(market: TinyMarket, rules: ScoringRules = RULES) -> tuple[SportScorer, list[Alert]]:
    """A scorer after book 1 has become generous, and the alerts this opened."""
    scorer = SportScorer(rules)
    assert scorer.apply_poll(market.poll()).alerts == []
    market.offer(1, GENEROUS, 1.75)
    return scorer, scorer.apply_poll(market.poll()).alerts


def test_a_generous_price_opens_an_alert_with_its_metrics() -> None:
    market = fair_market(9)
    _, alerts = open_alerts(market)
    (alert,) = [a for a in alerts if a.key.kind == "value"]
    assert alert.key == AlertKey("value", 1, Market.H2H, None, Outcome.HOME, 1)
    assert (alert.state, alert.seq, alert.poll_id, alert.tick_poll_id) == ("opened", 0, 2, 2)
    assert alert.metrics.price == GENEROUS
    assert alert.metrics.implied_probability == pytest.approx(1 / GENEROUS)
    assert alert.metrics.fair_probability == pytest.approx(0.5, abs=0.02)
    assert alert.metrics.edge == pytest.approx((alert.metrics.fair_probability or 0) - 1 / GENEROUS)
    assert alert.metrics.books == 9
    assert 0 < (alert.metrics.kelly_fraction or 0) <= RULES.kelly_cap


def test_an_alert_is_updated_only_when_its_price_moves() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    assert scorer.apply_poll(market.poll()).alerts == []
    market.offer(1, GENEROUS + 0.05, 1.72)
    states = [(a.state, a.seq) for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"]
    assert states == [("updated", 1)]


def test_an_alert_closes_when_its_price_moves() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    market.offer(1, 1.95, 1.95)
    reasons = {a.key.kind: (a.state, a.reason) for a in scorer.apply_poll(market.poll()).alerts}
    assert reasons["value"] == ("closed", "price_moved")
    assert not scorer.open_alerts


def test_an_alert_closes_when_the_market_follows() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    for book in range(2, 6):
        market.offer(book, GENEROUS, 1.75)
    reasons = {a.key.kind: a.reason for a in scorer.apply_poll(market.poll()).alerts}
    assert reasons["value"] == "market_moved"


def test_an_alert_closes_when_the_book_withdraws() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    market.withdraw(1)
    assert {a.reason for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"} == {"withdrawn"}


def test_an_alert_closes_when_the_event_starts_even_without_a_poll() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    step = scorer.advance_time(market.starts[1])
    assert {(a.state, a.reason) for a in step.alerts} == {("closed", "started")}
    assert not scorer.open_alerts


def test_a_stale_price_is_suppressed_and_counted_once() -> None:
    market = fair_market(6)
    market.offer(1, GENEROUS, 1.75)
    market.freeze(1)
    scorer = SportScorer(RULES)
    found = scorer.apply_poll(market.poll(1_000))
    assert not found.alerts
    assert found.suppressed["stale"] >= 1
    assert scorer.apply_poll(market.poll()).suppressed == Counter()


def test_an_open_alert_closes_when_its_price_goes_stale() -> None:
    market = fair_market(6)
    scorer, _ = open_alerts(market)
    market.freeze(1)
    for _ in range(4):
        alerts = scorer.apply_poll(market.poll(200)).alerts
    assert {a.reason for a in alerts if a.key.kind == "value"} == {"stale"}


def test_too_few_books_raise_no_value_alert() -> None:
    market = fair_market(3)
    _, alerts = open_alerts(market)
    assert [a for a in alerts if a.key.kind == "value"] == []


def test_a_started_event_raises_no_alert() -> None:
    market = fair_market()
    market.starts[1] = market.now
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    found = scorer.apply_poll(market.poll())
    assert not found.alerts
    assert found.suppressed["started"] >= 1


def test_a_palpable_error_is_an_outlier_not_value() -> None:
    market = fair_market(6)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    market.offer(1, 8.0, 1.95)
    found = scorer.apply_poll(market.poll())
    assert {(a.key.kind, a.key.book, a.state) for a in found.alerts} == {("likely_error", 1, "opened")}
    assert found.suppressed["outlier"] >= 1


def test_a_likely_error_that_the_market_confirms_becomes_value() -> None:
    market = fair_market(6)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    market.offer(1, 3.4, 1.4)
    (error,) = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "likely_error"]
    assert (error.metrics.error_probability or 0) > 0.5
    for book in range(2, 7):
        market.offer(book, 2.9, 1.45)
    states = {(a.key.kind, a.state, a.reason) for a in scorer.apply_poll(market.poll()).alerts if a.key.book == 1}
    assert states == {("likely_error", "closed", "market_moved"), ("value", "opened", None)}


def test_an_arbitrage_names_its_legs() -> None:
    market = fair_market()
    market.offer(2, 1.80, 2.0)
    _, alerts = open_alerts(market)
    (alert,) = [a for a in alerts if a.key.kind == "arbitrage"]
    assert [(leg.book, leg.price) for leg in alert.metrics.legs] == [(1, GENEROUS), (2, 2.0)]
    assert alert.metrics.expected_value == pytest.approx(1 / (1 / GENEROUS + 0.5) - 1)
    assert sum(leg.stake_fraction for leg in alert.metrics.legs) == pytest.approx(1)


moves = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 6),
        st.floats(1.5, 2.6),
        st.integers(1, 400),
        st.sampled_from("ofwp"),
    ),
    min_size=1,
    max_size=40,
)


def play(market: TinyMarket, scorer: SportScorer, steps: list[tuple[int, int, float, int, str]]) -> list[Alert]:
    announced: list[Alert] = []
    for event, book, home, seconds, what in steps:
        if what == "o":
            market.offer(book, home, 1 / (1.04 - 1 / home), event)
        elif what == "f":
            market.freeze(book, event)
        elif what == "w":
            market.withdraw(book, event)
        announced += scorer.apply_poll(market.poll(seconds)).alerts
    return announced


@given(moves, moves)
def test_a_restart_changes_nothing(
    before: list[tuple[int, int, float, int, str]], after: list[tuple[int, int, float, int, str]]
) -> None:
    rules = replace(RULES, min_books=2)
    market = fair_market(6)
    steady = SportScorer(rules)
    announced = play(market, steady, before)
    last: dict[AlertKey, Alert] = {a.key: a for a in announced}
    reborn = SportScorer(rules)
    reborn.restore(
        market.quotes(),
        np.ones(len(market.prices), np.int64),
        market.times(),
        market.poll(0).starts,
        Moment(market.now, market.poll_id),
        [a for a in last.values() if a.state != "closed"],
    )
    twin = clone(market)
    expected, found = play(market, steady, after), play(twin, reborn, after)
    assert [poll_sequence(a) for a in found] == [poll_sequence(a) for a in expected]


def poll_sequence(alert: Alert) -> tuple[object, ...]:
    return alert.alert_id, alert.seq, alert.key, alert.state, alert.reason, alert.metrics, alert.observed_at


def clone(market: TinyMarket) -> TinyMarket:
    twin = TinyMarket()
    twin.__dict__.update({k: (dict(v) if isinstance(v, dict) else v) for k, v in market.__dict__.items()})
    return twin


@given(moves)
def test_scoring_what_changed_equals_scoring_everything(
    steps: list[tuple[int, int, float, int, str]],
) -> None:
    rules = replace(RULES, min_books=2)
    market = fair_market(6)
    incremental = SportScorer(rules)
    play(market, incremental, steps)
    restarted = SportScorer(rules)
    restarted.restore(
        market.quotes(), np.ones(len(market.prices), np.int64), market.times(), market.poll(0).starts,
        Moment(market.now, market.poll_id), [],
    )  # fmt: skip
    assert restarted.advance_time(market.now).alerts == [], "time alone opens nothing"
    poll = market.poll(0)
    incremental.apply_poll(poll)
    fresh_alerts = restarted.apply_poll(poll).alerts
    assert {a.key for a in fresh_alerts} == set(incremental.open_alerts)
    for alert in fresh_alerts:
        assert alert.metrics.price == incremental.open_alerts[alert.key].metrics.price


def test_closing_order_is_deterministic() -> None:
    market = TinyMarket()
    for event in range(1, 5):
        for book in range(1, 6):
            market.offer(book, 1.95, 1.95, event)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    for event in range(1, 5):
        market.offer(1, GENEROUS, 1.75, event)
    keys = [a.key for a in scorer.apply_poll(market.poll()).alerts]
    assert keys == sorted(keys, key=lambda k: tuple(-1 if p is None else p for p in k))
    assert market.now > SECOND


def test_clones_count_as_one_source() -> None:
    market = fair_market(5)
    scorer = SportScorer(replace(RULES, min_books=4), profile_of=lambda book: BookProfile(clone_group=min(book, 3)))
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    found = scorer.apply_poll(market.poll())
    assert [a for a in found.alerts if a.key.kind == "value"] == []
    assert found.suppressed["thin"] >= 1


def test_a_one_sided_price_is_suppressed() -> None:
    market = fair_market(6)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    market.prices[1, 9, Market.H2H, Outcome.HOME, float("nan")] = GENEROUS
    found = scorer.apply_poll(market.poll())
    assert [a for a in found.alerts if a.key.kind == "value"] == []
    assert found.suppressed["one_sided"] == 1


def test_a_price_with_which_a_third_of_the_others_agree_is_disputed() -> None:
    """Either side may be right: the four react to news, or are late. No book agrees with the mean."""
    market = fair_market(10)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    for book in (1, 2, 3, 4):
        market.offer(book, 2.3, 1.68)
    found = scorer.apply_poll(market.poll())
    assert [a for a in found.alerts if a.key.kind == "value"] == []
    assert found.suppressed["disputed"] == 4
    for book in (2, 3, 4):
        market.offer(book, 1.95, 1.95)
    [alert] = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"]
    assert alert.key.book == 1


def test_dissent_widens_the_interval_of_an_alert() -> None:
    """If one of nine other books agrees with the price, the alert opens with a wider interval."""
    reach = []
    for generous in ((1,), (1, 2)):
        market = fair_market(10)
        for book in generous:
            market.offer(book, 2.3, 1.68)
        first = AlertKey("value", 1, Market.H2H, None, Outcome.HOME, 1)
        [metric_values] = [
            alert.metrics for alert in SportScorer(RULES).apply_poll(market.poll()).alerts if alert.key == first
        ]
        reach.append(metric_values.expected_value - (metric_values.expected_value_low or 0))
    assert reach[1] > 1.3 * reach[0]


def test_time_does_not_run_backwards() -> None:
    market = fair_market()
    scorer, _ = open_alerts(market)
    assert scorer.advance_time(market.starts[1]).alerts
    assert scorer.apply_poll(market.poll()).alerts == []


def test_ties_are_resolved_alike_after_a_restart() -> None:
    market = fair_market()
    market.offer(2, 1.80, 2.0)
    market.offer(3, 1.80, 2.0)
    scorer, _ = open_alerts(market)
    reborn = SportScorer(RULES)
    quotes = market.quotes()
    backwards = quotes.take(np.arange(len(quotes))[::-1])
    polls = np.ones(len(quotes), np.int64)
    starts = market.poll(0).starts
    reborn.restore(
        backwards, polls, market.times(), starts, Moment(market.now, market.poll_id), scorer.open_alerts.values()
    )
    market.offer(4, 1.94, 1.96)
    assert reborn.apply_poll(market.poll()).alerts == []


def test_an_exchange_price_is_valued_after_commission() -> None:
    market = fair_market(6)
    scorer = SportScorer(RULES, lambda book: BookProfile(commission=0.05 if book == 1 else 0.0))
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    (alert,) = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"]
    net = 1 + (GENEROUS - 1) * 0.95
    assert alert.metrics.price == GENEROUS
    assert alert.metrics.implied_probability == pytest.approx(1 / net)
    assert alert.metrics.edge == pytest.approx((alert.metrics.fair_probability or 0) - 1 / net)


def test_an_alert_states_its_uncertainty() -> None:
    _, alerts = open_alerts(fair_market(9))
    (metric_values,) = [a.metrics for a in alerts if a.key.kind == "value"]
    low, high = metric_values.expected_value_low or 0, metric_values.expected_value_high or 0
    assert low < metric_values.expected_value < high
    assert metric_values.expected_value - low == pytest.approx(
        1.645 * GENEROUS * (metric_values.standard_error or 0), rel=1e-3
    )
    assert 0.9 < (metric_values.probability_positive or 0) < 1
    assert 0 < (metric_values.stake_fraction or 0) < (metric_values.kelly_fraction or 0)
    assert metric_values.market_width == pytest.approx(2 / 1.95 - 1)
    assert (metric_values.hold or 0) < 0


def test_books_at_other_points_contribute_to_the_fair_price() -> None:
    """Five books at -3 price a sixth at -2.5; half a point is worth much there, since three points would push."""
    market = TinyMarket()
    market.starts[1] = market.now + 3_600 * SECOND
    for book in range(1, 6):
        for outcome, point in ((Outcome.HOME, -3.0), (Outcome.AWAY, 3.0)):
            market.prices[1, book, Market.SPREADS, outcome, point] = 1.95
    for outcome, point, price in ((Outcome.HOME, -2.5, 2.05), (Outcome.AWAY, 2.5, 1.85)):
        market.prices[1, 6, Market.SPREADS, outcome, point] = price
    alone, together = SportScorer(RULES), SportScorer(RULES, point_models=point_models_for("americanfootball_nfl"))
    poll = market.poll()
    assert not alone.apply_poll(poll).alerts
    (alert,) = together.apply_poll(poll).alerts
    assert (alert.key.book, alert.key.outcome, alert.key.point) == (6, Outcome.HOME, -2.5)
    assert alert.metrics.books == 6
    assert 0.52 < (alert.metrics.fair_probability or 0) < 0.55
    assert alert.metrics.push_probability == 0


@pytest.mark.parametrize(("under", "kinds"), [(44.5, {"arbitrage"}), (41.5, set())])
def test_only_equal_points_make_an_arbitrage(under: float, kinds: set[str]) -> None:
    """Over 44.5 and under 41.5 both lose between the points; the same prices at one point are an arbitrage."""
    market = TinyMarket()
    market.starts[1] = market.now + 3_600 * SECOND
    market.prices[1, 1, Market.TOTALS, Outcome.OVER, 44.5] = 2.06
    market.prices[1, 1, Market.TOTALS, Outcome.UNDER, 44.5] = 1.85
    market.prices[1, 2, Market.TOTALS, Outcome.UNDER, under] = 2.06
    market.prices[1, 2, Market.TOTALS, Outcome.OVER, under] = 1.85
    assert {alert.key.kind for alert in SportScorer(RULES).apply_poll(market.poll()).alerts} == kinds


def test_the_expected_value_includes_the_push() -> None:
    market = TinyMarket()
    market.starts[1] = market.now + 3_600 * SECOND
    for book in range(1, 7):
        for outcome, point in ((Outcome.HOME, -3.0), (Outcome.AWAY, 3.0)):
            market.prices[1, book, Market.SPREADS, outcome, point] = 1.95
    market.prices[1, 6, Market.SPREADS, Outcome.HOME, -3.0] = 2.2
    market.prices[1, 6, Market.SPREADS, Outcome.AWAY, 3.0] = 1.75
    scorer = SportScorer(RULES, point_models=point_models_for("americanfootball_nfl"))
    (alert,) = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"]
    metric_values = alert.metrics
    assert 0.05 < (metric_values.push_probability or 0) < 0.12
    without = (metric_values.fair_probability or 0) * 2.2 - 1
    assert metric_values.expected_value == pytest.approx((1 - (metric_values.push_probability or 0)) * without)


def test_books_that_settle_differently_make_no_arbitrage() -> None:
    """One counts overtime and the other does not, so both legs may lose."""
    rules = {1: SettlementRules(period=Period.OVERTIME), 2: SettlementRules(period=Period.REGULATION)}
    market = fair_market()
    scorer = SportScorer(RULES, lambda book: BookProfile(rules_for=lambda _: rules.get(book)))
    for book in range(3, 6):
        market.offer(book, 1.95, 1.8)
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    market.offer(2, 1.80, 2.0)
    found = scorer.apply_poll(market.poll())
    assert [a.key for a in found.alerts if a.key.kind == "arbitrage"] == []
    assert found.suppressed["rules"] == 1
    market.offer(3, 1.80, 1.95)
    (sure,) = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "arbitrage"]
    assert [leg.book for leg in sure.metrics.legs] == [1, 3]
    assert sure.metrics.rules == "unknown"


@pytest.mark.parametrize(
    ("rules", "label"), [({1: Period.OVERTIME, 2: Period.OVERTIME}, "same"), ({1: Period.OVERTIME}, "unknown")]
)
def test_an_arbitrage_states_whether_its_books_settle_alike(rules: dict[int, Period], label: str) -> None:
    market = fair_market()
    known = {book: SettlementRules(period) for book, period in rules.items()}
    scorer = SportScorer(RULES, lambda book: BookProfile(rules_for=lambda _: known.get(book)))
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    market.offer(2, 1.80, 2.0)
    (sure,) = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "arbitrage"]
    assert ({leg.book for leg in sure.metrics.legs}, sure.metrics.rules) == ({1, 2}, label)


def self_contradicting(rest: int = 6) -> tuple[TinyMarket, SportScorer]:
    """A market in which book 1 offers 2.04 on both sides, a booksum of .98, and a scorer."""
    market = fair_market(rest)
    market.offer(1, 2.04, 2.04)
    return market, SportScorer(RULES)


def test_an_arbitrage_at_one_book_is_a_likely_error() -> None:
    market, scorer = self_contradicting()
    found = scorer.apply_poll(market.poll())
    [alert] = found.alerts
    assert alert.key == AlertKey("likely_error", 1, Market.H2H, None)
    assert {leg.book for leg in alert.metrics.legs} == {1}
    assert alert.metrics.expected_value == pytest.approx(0.02)
    assert found.suppressed["one_book"] == 1
    market.offer(1, 2.05, 2.04)
    assert [(a.key.kind, a.state) for a in scorer.apply_poll(market.poll()).alerts] == [("likely_error", "updated")]
    market.offer(1, 1.95, 1.95)
    assert [(a.key.kind, a.state, a.reason) for a in scorer.apply_poll(market.poll()).alerts] == [
        ("likely_error", "closed", "price_moved")
    ]


def test_an_arbitrage_between_clones_is_a_likely_error() -> None:
    market = fair_market(6)
    market.offer(1, 2.04, 1.9)
    market.offer(2, 1.9, 2.04)
    for source, kind in ((lambda book: min(book, 2), "arbitrage"), (lambda book: max(book, 2), "likely_error")):
        scorer = SportScorer(RULES, lambda book, source=source: BookProfile(clone_group=source(book)))  # type: ignore[misc]
        assert [a.key.kind for a in scorer.apply_poll(market.poll()).alerts if a.metrics.legs] == [kind]
        market._sent.clear()


def test_an_arbitrage_of_other_books_takes_precedence_over_a_likely_error() -> None:
    market, scorer = self_contradicting()
    market.offer(2, 2.02, 1.9)
    market.offer(3, 1.9, 2.02)
    [alert] = [a for a in scorer.apply_poll(market.poll()).alerts if a.metrics.legs]
    assert (alert.key.kind, {leg.book for leg in alert.metrics.legs}) == ("arbitrage", {2, 3})
    market.withdraw(3)
    states = [(a.key.kind, a.state, a.reason) for a in scorer.apply_poll(market.poll()).alerts if a.metrics.legs]
    assert states == [("arbitrage", "closed", "one_book"), ("likely_error", "opened", None)]


def test_a_likely_error_at_one_book_survives_a_restart() -> None:
    market, scorer = self_contradicting()
    opened_alerts = scorer.apply_poll(market.poll()).alerts
    polls = np.full(len(market.quotes()), 1, np.int64)
    again = SportScorer(RULES)
    state = Moment(market.now, 1)
    again.restore(
        market.quotes(), polls, market.times(), EventStarts.from_rows(market.starts.items()), state, opened_alerts
    )
    assert again.apply_poll(market.poll()).alerts == []
    market.offer(1, 1.95, 1.95)
    assert [(a.alert_id, a.state) for a in again.apply_poll(market.poll()).alerts] == [
        (opened_alerts[0].alert_id, "closed")
    ]


def test_home_and_away_at_three_way_prices_are_not_a_two_way_market() -> None:
    """Hockey: some books offer 60 minutes with a draw; while it is suspended, the other two seem generous."""
    market = fair_market(6)
    for book in (1, 2):
        market.offer(book, 2.45, 2.5)
    scorer = SportScorer(RULES)
    found = scorer.apply_poll(market.poll())
    assert found.alerts == []
    assert found.suppressed["one_sided"] == 4


def test_a_line_without_its_favourite_is_not_priced() -> None:
    market, threes = TinyMarket(), (Outcome.HOME, Outcome.AWAY, Outcome.DRAW)
    for book in range(1, 7):
        market.starts[1] = market.now + 3_600 * SECOND
        for outcome, price in zip(threes, (float("nan"), 36.0, 36.0), strict=True):
            if price == price:  # noqa: PLR0124 - NaN stands for 1.0, which cannot be bet
                market.prices[1, book, Market.H2H_3_WAY, outcome, float("nan")] = price + book
    scorer = SportScorer(RULES)
    found = scorer.apply_poll(market.poll())
    assert (found.alerts, found.suppressed) == ([], Counter())


def test_a_book_whose_clock_is_ahead_becomes_stale_with_the_others() -> None:
    market = fair_market(6)
    market.offer(1, GENEROUS, 1.75)
    market.frozen[1, 1, Market.H2H] = market.now + 4 * 3_600 * SECOND
    scorer = SportScorer(RULES)
    [alert] = [a for a in scorer.apply_poll(market.poll()).alerts if a.key.kind == "value"]
    assert alert.metrics.price_age_s == 0
    seen = market.now
    market.frozen = {(1, book, Market.H2H): market.now for book in range(2, 7)} | market.frozen
    closed = scorer.advance_time(seen + 601 * SECOND).alerts
    assert ("value", "stale") in {(a.key.kind, a.reason) for a in closed}


@pytest.mark.parametrize("by", ["tick", "poll"])
def test_alerts_open_again_after_a_clock_that_was_hours_ahead(by: str) -> None:
    market = fair_market()
    scorer, opened_before = open_alerts(market)
    ahead = market.now + 7_200 * SECOND  # the event has started by then
    if by == "tick":
        closed = scorer.advance_time(ahead).alerts
        assert scorer.advance_time(market.now + SECOND).alerts == []
        found = scorer.apply_poll(market.poll()).alerts
    else:  # as in a replay, where only polls advance the time
        poll = market.poll()
        closed = scorer.apply_poll(replace(poll, observed_at=ahead)).alerts
        found = scorer.apply_poll(market.poll()).alerts
    assert {a.reason for a in closed} == {"started"}
    assert [(a.key, a.state) for a in found] == [(a.key, "opened") for a in opened_before]
    assert all(a.observed_at <= market.now for a in found)


def test_a_price_that_becomes_value_only_by_ageing_waits_for_a_poll() -> None:
    """As the other books lose weight, an unchanged price gains edge. It is not new and may no longer be offered."""
    market = fair_market()
    market.offer(1, GENEROUS, 1.75)
    poll = market.poll()
    scorer = SportScorer(RULES)
    moment = Moment(poll.observed_at, poll.poll_id)
    scorer.restore(market.quotes(), np.ones(len(market.prices), np.int64), market.times(), poll.starts, moment, [])
    assert [scorer.advance_time(market.now + n * SECOND).alerts for n in (1, 2, 60)] == [[], [], []]
    assert {a.state for a in scorer.apply_poll(market.poll()).alerts} == {"opened"}


def test_a_late_poll_opens_no_alert_on_a_started_event() -> None:
    market = fair_market()
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    market.offer(1, GENEROUS, 1.75)
    late = market.poll()
    scorer.advance_time(market.starts[1] + SECOND)
    assert scorer.apply_poll(late).alerts == []


def test_a_flood_of_alerts_opens_in_portions_which_a_restart_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    market = TinyMarket()
    for event in range(1, 6):
        for book in range(1, 9):
            market.offer(book, 1.95, 1.95, event=event)
    scorer = SportScorer(RULES)
    scorer.apply_poll(market.poll())
    for event in range(1, 6):
        market.offer(1, GENEROUS, 1.75, event=event)
    monkeypatch.setattr("ml.scoring.scorer.MAX_OPENED_PER_POLL", 3)
    portions = [scorer.apply_poll(market.poll())]
    restarted, starts = SportScorer(RULES), EventStarts.from_rows(market.starts.items())
    polls = np.where([quote[1] == 1 for quote in market.prices], 2, 1)
    last = Moment(market.now, market.poll_id)
    restarted.restore(market.quotes(), polls, market.times(), starts, last, portions[0].alerts)
    second = market.poll()
    portions.append(scorer.apply_poll(second))
    assert restarted.apply_poll(second) == portions[1]
    portions += [scorer.apply_poll(market.poll()), scorer.apply_poll(market.poll())]
    assert [len(step.alerts) for step in portions] == [3, 3, 3, 1]
    assert [step.suppressed["too_many"] for step in portions] == [7, 4, 1, 0]
