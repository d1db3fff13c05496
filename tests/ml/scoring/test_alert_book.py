"""The alert book opens, updates and closes alerts given only keys and metrics."""

from __future__ import annotations

from ml.quotes import Market, Outcome
from ml.scoring.alert_book import AlertBook, Moment
from ml.scoring.alerts import AlertKey, AlertMetrics, Leg

PRICE = AlertKey("value", 1, Market.H2H, None, Outcome.HOME, 7)
ARBITRAGE = AlertKey("arbitrage", 1, Market.H2H, None)
LEGS = (Leg(Outcome.HOME, 7, 2.1, 0.5), Leg(Outcome.AWAY, 8, 2.1, 0.5))
METRICS = {PRICE: AlertMetrics(0.05, 5, 20.0, price=2.1), ARBITRAGE: AlertMetrics(0.05, 2, 20.0, legs=LEGS)}
FIRST, SECOND, THIRD = Moment(1_000, 1), Moment(2_000, 2), Moment(3_000, 3)


def has_value_changed(position: int, last: AlertMetrics) -> bool:
    return last.expected_value != 0.05


def test_prices_and_arbitrages_share_one_life_cycle() -> None:
    for key, metrics in METRICS.items():
        book = AlertBook()
        opened = book.raise_alert(key, metrics, FIRST, 1)
        updated = book.raise_alert(key, metrics, SECOND, 2)
        closed = book.close(key, lambda alert: f"after {alert.seq}", THIRD)
        assert closed is not None
        steps = [(s.seq, s.state, s.reason, s.observed_at, s.poll_id) for s in (opened, updated, closed)]
        assert steps == [
            (0, "opened", None, 1_000, 1),
            (1, "updated", None, 2_000, 2),
            (2, "closed", "after 1", 3_000, 3),
        ]
        assert len({s.alert_id for s in (opened, updated, closed)}) == 1
        assert not book.open_alerts
        assert book.close(key, lambda _: "twice", THIRD) is None


def test_an_open_unchanged_alert_is_not_due() -> None:
    book = AlertBook()
    book.raise_alert(PRICE, METRICS[PRICE], FIRST, 1)
    assert book.select_due([PRICE, ARBITRAGE], has_value_changed, max_opened=9) == ([1], [])
    assert book.select_due([PRICE, ARBITRAGE], lambda *_: True, max_opened=9) == ([0, 1], [])


def test_new_alerts_wait_beyond_those_that_may_open_whatever_their_order() -> None:
    book = AlertBook()
    book.raise_alert(PRICE, METRICS[PRICE], FIRST, 1)
    assert book.select_due([ARBITRAGE, PRICE], lambda *_: True, max_opened=0) == ([1], [0])
    later = ARBITRAGE._replace(event=2)
    assert book.select_due([later, ARBITRAGE, PRICE], lambda *_: True, max_opened=1) == ([1, 2], [0])
    assert book.select_due([ARBITRAGE, later, PRICE], lambda *_: True, max_opened=1) == ([0, 2], [1])


def test_only_a_restart_leaves_orphans_which_are_closed_once() -> None:
    running = AlertBook()
    left = [running.raise_alert(key, metrics, FIRST, 1) for key, metrics in METRICS.items()]
    assert list(running.close_orphans(lambda _: False, SECOND)) == []

    restarted = AlertBook(left)
    closed = list(restarted.close_orphans(lambda key: key == PRICE, SECOND))
    assert [(a.key, a.state, a.reason, a.poll_id) for a in closed] == [(ARBITRAGE, "closed", "withdrawn", 2)]
    assert list(restarted.close_orphans(lambda _: False, THIRD)) == []
    assert set(restarted.open_alerts) == {PRICE}
