"""Alerts survive bit for bit, once, and come out as the message that users get."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge_assets.core.clock import to_micros
from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from ml.quotes import Market, Outcome, QuoteBatch
from ml.scoring.alerts import Alert, close_alert, update_alert
from tests.support.alert_factories import arbitrage, value_bet
from tests.support.poll_factories import NOON, START, StoreHarness

if TYPE_CHECKING:
    from psycopg import Connection

# fmt: off
MESSAGE_KEYS = {
    "id", "alert_id", "seq", "kind", "state", "reason", "sport", "event_id", "event", "home_team", "away_team",
    "commence_at", "market", "outcome", "selection", "point", "book", "book_title", "price", "fair_probability",
    "implied_probability", "edge", "standard_error", "expected_value", "expected_value_low", "expected_value_high",
    "probability_positive", "push_probability", "kelly_fraction", "stake_fraction", "confidence", "books",
    "price_age_s", "method_spread", "market_width", "hold", "error_probability", "rules", "detection_latency_ms",
    "late_s", "observed_at", "published_at", "poll_id", "tick_poll_id", "run_id",
    "feed", "legs",
}
# fmt: on


@pytest.fixture
def poll(harness: StoreHarness) -> int:
    """A poll for alerts to lead back to."""
    poll = harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    assert poll is not None
    return poll


def commit(harness: StoreHarness, poll: int, *steps: Alert, **suppressed: int) -> None:
    """A step of the scorer at noon."""
    alert_log.commit_scoring_step(harness.conn, harness.sport, poll, to_micros(NOON), steps, suppressed)


def publish(conn: Connection) -> None:
    """Mark everything as published."""
    alert_log.mark_published(
        conn, [alert_log.AlertPublication(m["id"], NOON, 12.5, None) for m in alert_log.load_unpublished_messages(conn)]
    )


def test_open_alerts_come_back_as_the_same_objects(harness: StoreHarness, poll: int) -> None:
    made = [value_bet(harness, poll), value_bet(harness, poll, book=1, point=-3.25), arbitrage(harness, poll)]

    commit(harness, poll, *made)

    assert {a.key: a for a in alert_log.load_open_alerts(harness.conn, harness.sport)} == {a.key: a for a in made}
    assert alert_log.load_open_alerts(harness.conn, harness.other_sport) == []


def test_only_the_last_step_of_a_life_counts(harness: StoreHarness, poll: int) -> None:
    first, second = value_bet(harness, poll), value_bet(harness, poll, book=1)
    updated = update_alert(first, replace(first.metrics, price=1 / 3 + 2), to_micros(NOON) + 1, poll, poll)
    commit(harness, poll, first, second)
    commit(harness, poll, updated, close_alert(second, "stale", to_micros(NOON) + 1, poll))

    assert alert_log.load_open_alerts(harness.conn, harness.sport) == [updated]


def test_a_repeated_step_adds_no_alert(harness: StoreHarness, poll: int) -> None:
    for _ in range(2):
        commit(harness, poll, value_bet(harness, poll), arbitrage(harness, poll))

    assert harness.conn.execute("SELECT count(*) FROM alerts").fetchone() == (2,)


def test_a_step_is_stored_whole_or_not_at_all(harness: StoreHarness, poll: int) -> None:
    broken = replace(value_bet(harness, poll), alert_id=uuid.uuid4(), state="unheard of")

    with pytest.raises(Exception, match="alerts_state_check"):
        commit(harness, poll, value_bet(harness, poll), broken, stale=3)

    assert alert_log.load_open_alerts(harness.conn, harness.sport) == []
    assert alert_log.load_scorer_progress(harness.conn) == {}


def test_progress_and_counts_are_kept(harness: StoreHarness, poll: int) -> None:
    commit(harness, poll, stale=3, thin=1)
    commit(harness, poll, stale=2)  # time passed, no poll came

    assert alert_log.load_scorer_progress(harness.conn) == {harness.sport: alert_log.ScorerProgress(poll, NOON)}
    counted = harness.conn.execute("SELECT reason, n FROM suppressions ORDER BY reason").fetchall()
    assert counted == [("stale", 5), ("thin", 1)]


def test_a_value_bet_as_users_get_it(harness: StoreHarness, poll: int) -> None:
    bet = value_bet(harness, poll, point=-3.5)
    commit(harness, poll, bet)

    (message,) = alert_log.load_open_alert_messages(harness.conn, "value")

    assert set(message) == MESSAGE_KEYS
    facts = {k: message[k] for k in ("alert_id", "sport", "event", "market", "outcome", "selection", "point", "book")}
    assert facts == {
        "alert_id": str(bet.alert_id),
        "sport": "americanfootball_nfl",
        "event": "e1",
        "market": "spreads",
        "outcome": "home",
        "selection": "Seattle Seahawks",
        "point": -3.5,
        "book": "pinnacle",
    }
    metric_values = bet.metrics
    assert (message["price"], message["fair_probability"]) == (metric_values.price, metric_values.fair_probability)
    assert (message["run_id"], message["feed"], message["legs"]) == ("run-1", "simulate", None)
    assert datetime.fromisoformat(message["commence_at"]) == START
    assert datetime.fromisoformat(message["observed_at"]) == NOON


def test_an_arbitrage_as_users_get_it(harness: StoreHarness, poll: int) -> None:
    commit(harness, poll, arbitrage(harness, poll))

    (message,) = alert_log.load_open_alert_messages(harness.conn, "arbitrage")

    assert set(message) == MESSAGE_KEYS
    assert (message["outcome"], message["book"], message["price"], message["selection"]) == (None,) * 4
    assert message["legs"] == [
        {
            "outcome": "home",
            "selection": "Seattle Seahawks",
            "book": "pinnacle",
            "book_title": "Pinnacle",
            "price": 2.1,
            "stake_fraction": 1 / 3,
        },
        {
            "outcome": "away",
            "selection": "Rams",
            "book": "betmgm",
            "book_title": "Betmgm",
            "price": 2.2,
            "stake_fraction": 2 / 3,
        },
    ]


def test_alerts_are_sorted_by_value_and_filtered_by_sport(harness: StoreHarness, poll: int) -> None:
    commit(harness, poll, value_bet(harness, poll, edge=0.02), value_bet(harness, poll, book=1, edge=0.09))

    found = alert_log.load_open_alert_messages(harness.conn, "value", "americanfootball_nfl")
    assert [m["book"] for m in found] == ["fanduel", "pinnacle"]
    assert alert_log.load_open_alert_messages(harness.conn, "value", "icehockey_nhl") == []
    assert alert_log.load_open_alert_messages(harness.conn, "arbitrage") == []


def test_what_is_published_leaves_the_outbox_and_can_be_resumed(harness: StoreHarness, poll: int) -> None:
    commit(harness, poll, *(value_bet(harness, poll, book=book) for book in range(3)))
    first, *rest = [m["id"] for m in alert_log.load_unpublished_messages(harness.conn)]
    assert [m["id"] for m in alert_log.load_messages_since(harness.conn, first, 10)] == rest, (
        "what is durable can be resumed already"
    )

    publish(harness.conn)

    assert alert_log.load_unpublished_messages(harness.conn) == []
    resumed = alert_log.load_messages_since(harness.conn, first, 10)
    assert [m["id"] for m in resumed] == rest == sorted(rest)
    assert {m["detection_latency_ms"] for m in resumed} == {12.5}
    assert [m["id"] for m in alert_log.load_messages_since(harness.conn, first, 1)] == rest[:1]
    assert lookups.load_last_alert_id(harness.conn) == rest[-1]


def test_the_outbox_knows_when_the_payload_came(harness: StoreHarness, poll: int) -> None:
    commit(harness, poll, value_bet(harness, poll))

    (message,) = alert_log.load_unpublished_messages(harness.conn)

    assert datetime.fromisoformat(message["received_at"]) == NOON + timedelta(microseconds=7)


def test_a_total_is_selected_by_its_side(harness: StoreHarness, poll: int) -> None:
    bet = value_bet(harness, poll, market=Market.TOTALS, outcome=Outcome.OVER, point=44.5)
    commit(harness, poll, bet)

    (message,) = alert_log.load_open_alert_messages(harness.conn, "value")

    assert (message["selection"], message["point"]) == ("Over", 44.5)


def test_open_alerts_are_those_whose_last_step_is_not_the_close(harness: StoreHarness, poll: int) -> None:
    first, second = value_bet(harness, poll), value_bet(harness, poll, book=1)
    closed = close_alert(first, "stale", to_micros(NOON) + 1, poll)
    commit(harness, poll, first, second, closed)
    for _ in range(2):  # what came before does not open it again
        commit(harness, poll, first, second, closed)

    newest = "SELECT max(id) FROM alerts GROUP BY alert_id HAVING NOT bool_or(state = 'closed')"
    assert harness.conn.execute("SELECT id FROM open_alerts").fetchall() == harness.conn.execute(newest).fetchall()
    assert alert_log.load_open_alerts(harness.conn, harness.sport) == [second]


def test_the_outbox_holds_each_step_until_it_is_published(
    harness: StoreHarness, poll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_log, "MAX_ALERTS_PER_BATCH", 2)
    commit(harness, poll, *(value_bet(harness, poll, book=book) for book in range(3)))
    assert (alert_log.count_unpublished(harness.conn), len(alert_log.load_unpublished_messages(harness.conn))) == (3, 2)
    publish(harness.conn)
    assert [m["book"] for m in alert_log.load_unpublished_messages(harness.conn)] == ["betmgm"]
    assert harness.conn.execute("SELECT xmax = 0 FROM alerts").fetchall() == [(True,)] * 3, "no step was rewritten"
