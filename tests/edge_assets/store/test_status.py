"""The counts of `edge status`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_assets.clock import micros
from edge_assets.store import alerts
from edge_assets.store.status import status
from edge_assets.store.writer import write_poll
from ml.quotes import EventStarts, MarketTimes, QuoteBatch
from ml.scoring.alerts import close_alert
from tests.edge_assets.store.bets import value_bet
from tests.edge_assets.store.material import NAN, NOON

if TYPE_CHECKING:
    from tests.edge_assets.store.material import Desk


def test_nothing_counts_nothing(desk: Desk) -> None:
    found = status(desk.conn)

    counts = ("payloads", "quotes_seen", "ticks", "withdrawals", "alerts_opened", "alerts_open")
    assert [found[key] for key in counts] == [0] * 6
    assert found["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert found["contradicted_results"] == 0
    assert (found["rejected"], found["suppressed"], found["sports"]) == ({}, {}, [])


def test_everything_is_counted_once(desk: Desk) -> None:
    record = replace(desk.record(NOON), rejected={"unknown_team": 2})
    quotes = QuoteBatch.of([desk.quote(), desk.quote(book=1), desk.quote(NAN, book=2)])
    poll = write_poll(desk.conn, record, quotes, MarketTimes.empty(), EventStarts.empty())
    assert poll is not None
    desk.write(NOON, QuoteBatch.empty(), sport=desk.other_sport)
    bets = [value_bet(desk, poll, book=book) for book in range(3)]
    alerts.commit_step(desk.conn, desk.sport, poll, micros(NOON), bets, {"stale": 4, "thin": 1})
    closed = [close_alert(bets[0], "stale", micros(NOON), poll)]
    alerts.commit_step(desk.conn, desk.sport, poll, micros(NOON), closed, {"stale": 1})
    latencies = zip(alerts.unpublished(desk.conn), (10.0, 20.0, 30.0, 40.0), strict=True)
    alerts.mark_published(desk.conn, [(message["id"], NOON, ms) for message, ms in latencies])

    found = status(desk.conn)

    assert (found["payloads"], found["quotes_seen"], found["ticks"], found["withdrawals"]) == (2, 20, 2, 1)
    assert (found["alerts_opened"], found["alerts_open"]) == (3, 2)
    assert found["rejected"] == {"unknown_team": 2}
    assert found["suppressed"] == {"stale": 5, "thin": 1}
    assert found["latency_ms"] == pytest.approx({"p50": 25.0, "p95": 38.5, "p99": 39.7})
    assert [(s["sport"], s["payloads"]) for s in found["sports"]] == [("americanfootball_nfl", 1), ("icehockey_nhl", 1)]
    assert found["database"]["engine"] in {"PostgreSQL", "TimescaleDB"}
    assert json.dumps(found, default=str)
