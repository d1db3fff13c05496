"""Alerts survive bit for bit, once, and come out as the message that users get."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge_assets.clock import micros
from edge_assets.store import alerts, board
from ml.quotes import Market, Outcome, QuoteBatch
from ml.scoring.alerts import Alert, close_alert, update_alert
from tests.edge_assets.store.bets import arbitrage, value_bet
from tests.edge_assets.store.material import NOON, START, Desk

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
def poll(desk: Desk) -> int:
    """A poll for alerts to lead back to."""
    poll = desk.write(NOON, QuoteBatch.of([desk.quote()]))
    assert poll is not None
    return poll


def commit(desk: Desk, poll: int, *steps: Alert, **suppressed: int) -> None:
    """A step of the scorer at noon."""
    alerts.commit_step(desk.conn, desk.sport, poll, micros(NOON), steps, suppressed)


def publish(conn: Connection) -> None:
    """Mark everything as published."""
    alerts.mark_published(conn, [alerts.Publication(m["id"], NOON, 12.5, None) for m in alerts.unpublished(conn)])


def test_open_alerts_come_back_as_the_same_objects(desk: Desk, poll: int) -> None:
    made = [value_bet(desk, poll), value_bet(desk, poll, book=1, point=-3.25), arbitrage(desk, poll)]

    commit(desk, poll, *made)

    assert {a.key: a for a in alerts.open_records(desk.conn, desk.sport)} == {a.key: a for a in made}
    assert alerts.open_records(desk.conn, desk.other_sport) == []


def test_only_the_last_step_of_a_life_counts(desk: Desk, poll: int) -> None:
    first, second = value_bet(desk, poll), value_bet(desk, poll, book=1)
    updated = update_alert(first, replace(first.worth, price=1 / 3 + 2), micros(NOON) + 1, poll, poll)
    commit(desk, poll, first, second)
    commit(desk, poll, updated, close_alert(second, "stale", micros(NOON) + 1, poll))

    assert alerts.open_records(desk.conn, desk.sport) == [updated]


def test_a_repeated_step_adds_no_alert(desk: Desk, poll: int) -> None:
    for _ in range(2):
        commit(desk, poll, value_bet(desk, poll), arbitrage(desk, poll))

    assert desk.conn.execute("SELECT count(*) FROM alerts").fetchone() == (2,)


def test_a_step_is_stored_whole_or_not_at_all(desk: Desk, poll: int) -> None:
    broken = replace(value_bet(desk, poll), alert_id=uuid.uuid4(), state="unheard of")

    with pytest.raises(Exception, match="alerts_state_check"):
        commit(desk, poll, value_bet(desk, poll), broken, stale=3)

    assert alerts.open_records(desk.conn, desk.sport) == []
    assert alerts.progress(desk.conn) == {}


def test_progress_and_counts_are_kept(desk: Desk, poll: int) -> None:
    commit(desk, poll, stale=3, thin=1)
    commit(desk, poll, stale=2)  # time passed, no poll came

    assert alerts.progress(desk.conn) == {desk.sport: alerts.Progress(poll, NOON)}
    counted = desk.conn.execute("SELECT reason, n FROM suppressions ORDER BY reason").fetchall()
    assert counted == [("stale", 5), ("thin", 1)]


def test_a_value_bet_as_users_get_it(desk: Desk, poll: int) -> None:
    bet = value_bet(desk, poll, point=-3.5)
    commit(desk, poll, bet)

    (message,) = alerts.open_alerts(desk.conn, "value")

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
    worth = bet.worth
    assert (message["price"], message["fair_probability"]) == (worth.price, worth.fair_probability)
    assert (message["run_id"], message["feed"], message["legs"]) == ("run-1", "simulate", None)
    assert datetime.fromisoformat(message["commence_at"]) == START
    assert datetime.fromisoformat(message["observed_at"]) == NOON


def test_an_arbitrage_as_users_get_it(desk: Desk, poll: int) -> None:
    commit(desk, poll, arbitrage(desk, poll))

    (message,) = alerts.open_alerts(desk.conn, "arbitrage")

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


def test_the_most_valuable_come_first_and_sports_are_told_apart(desk: Desk, poll: int) -> None:
    commit(desk, poll, value_bet(desk, poll, edge=0.02), value_bet(desk, poll, book=1, edge=0.09))

    found = alerts.open_alerts(desk.conn, "value", "americanfootball_nfl")
    assert [m["book"] for m in found] == ["fanduel", "pinnacle"]
    assert alerts.open_alerts(desk.conn, "value", "icehockey_nhl") == []
    assert alerts.open_alerts(desk.conn, "arbitrage") == []


def test_what_is_published_leaves_the_outbox_and_can_be_resumed(desk: Desk, poll: int) -> None:
    commit(desk, poll, *(value_bet(desk, poll, book=book) for book in range(3)))
    first, *rest = [m["id"] for m in alerts.unpublished(desk.conn)]
    assert [m["id"] for m in alerts.since(desk.conn, first, 10)] == rest, "what is durable can be resumed already"

    publish(desk.conn)

    assert alerts.unpublished(desk.conn) == []
    resumed = alerts.since(desk.conn, first, 10)
    assert [m["id"] for m in resumed] == rest == sorted(rest)
    assert {m["detection_latency_ms"] for m in resumed} == {12.5}
    assert [m["id"] for m in alerts.since(desk.conn, first, 1)] == rest[:1]
    assert board.last_alert_id(desk.conn) == rest[-1]


def test_the_outbox_knows_when_the_payload_came(desk: Desk, poll: int) -> None:
    commit(desk, poll, value_bet(desk, poll))

    (message,) = alerts.unpublished(desk.conn)

    assert datetime.fromisoformat(message["received_at"]) == NOON + timedelta(microseconds=7)


def test_a_total_is_selected_by_its_side(desk: Desk, poll: int) -> None:
    bet = value_bet(desk, poll, market=Market.TOTALS, outcome=Outcome.OVER, point=44.5)
    commit(desk, poll, bet)

    (message,) = alerts.open_alerts(desk.conn, "value")

    assert (message["selection"], message["point"]) == ("Over", 44.5)


def test_open_alerts_are_those_whose_last_step_is_not_the_close(desk: Desk, poll: int) -> None:
    first, second = value_bet(desk, poll), value_bet(desk, poll, book=1)
    closed = close_alert(first, "stale", micros(NOON) + 1, poll)
    commit(desk, poll, first, second, closed)
    for _ in range(2):  # what came before does not open it again
        commit(desk, poll, first, second, closed)

    newest = "SELECT max(id) FROM alerts GROUP BY alert_id HAVING NOT bool_or(state = 'closed')"
    assert desk.conn.execute("SELECT id FROM open_alerts").fetchall() == desk.conn.execute(newest).fetchall()
    assert alerts.open_records(desk.conn, desk.sport) == [second]


def test_the_outbox_holds_each_step_until_it_is_published(
    desk: Desk, poll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    commit(desk, poll, *(value_bet(desk, poll, book=book) for book in range(3)))
    assert (alerts.count_unpublished(desk.conn), len(alerts.unpublished(desk.conn))) == (3, 2)
    publish(desk.conn)
    assert [m["book"] for m in alerts.unpublished(desk.conn)] == ["betmgm"]
    assert desk.conn.execute("SELECT xmax = 0 FROM alerts").fetchall() == [(True,)] * 3, "no step was written anew"
