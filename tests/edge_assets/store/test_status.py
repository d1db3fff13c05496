"""The counts of `edge status`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.clock import micros
from edge_assets.store import alerts, board, history
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


def publish(desk: Desk, steps: list[tuple[int, timedelta, float]]) -> None:
    """Note publications so long ago, with latencies in milliseconds."""
    (now,) = desk.conn.execute("SELECT clock_timestamp()").fetchone() or (NOON,)
    alerts.mark_published(desk.conn, [alerts.Publication(i, now - ago, ms, None) for i, ago, ms in steps])


def test_latencies_are_of_the_last_hour(desk: Desk) -> None:
    """Neither a suspension hours ago nor a clock that was ahead stays in them."""
    hours = [timedelta(minutes=90), timedelta(minutes=5), -timedelta(hours=1)]
    publish(desk, [(n, ago, ms) for n, (ago, ms) in enumerate(zip(hours, (899_000.0, 20.0, 7.0), strict=True))])
    assert status(desk.conn)["latency_ms"] == {"p50": 20.0, "p95": 20.0, "p99": 20.0}


def test_what_is_not_committed_is_not_counted(desk: Desk) -> None:
    desk.write(NOON, QuoteBatch.empty(), sport=desk.other_sport)
    with desk.conn.transaction(force_rollback=True):
        desk.write(NOON, QuoteBatch.of([desk.quote()]))
    assert status(desk.conn)["payloads"] == 1
    assert desk.write(NOON, QuoteBatch.of([desk.quote()])) is not None
    assert desk.write(NOON, QuoteBatch.of([desk.quote()])) is None, "it is stored already"
    assert [status(desk.conn)[key] for key in ("payloads", "ticks")] == [2, 1]


def test_totals_outlive_what_they_count(desk: Desk) -> None:
    poll = desk.write(NOON, QuoteBatch.of([desk.quote()]))
    assert poll is not None
    alerts.commit_step(desk.conn, desk.sport, poll, micros(NOON), [value_bet(desk, poll)], {"thin": 2})
    before = status(desk.conn)
    desk.conn.execute("DELETE FROM suppressions")
    desk.conn.execute("DELETE FROM polls")
    desk.conn.execute("DELETE FROM alerts WHERE id NOT IN (SELECT id FROM open_alerts)")
    after = status(desk.conn)
    assert {key: after[key] for key in before} == before


def test_an_import_that_goes_on_adds_to_its_polls(desk: Desk) -> None:
    desk.conn.execute("INSERT INTO imports (format, path, sha256) VALUES ('odds-ticks', 'x', '\\x00')")
    looks = history.Looks(desk.sport, "odds-ticks", 1, False, np.array([micros(NOON)]))
    for ticks in (5, 3):
        history.write_looks(desk.conn, looks, np.array([ticks]), np.array([1]), "run-1")
    counts = status(desk.conn)
    assert (counts["payloads"], counts["ticks"], counts["withdrawals"]) == (1, 8, 2)
    assert board.feed(desk.conn) is None, "nothing was polled"


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
    publish(desk, [(message["id"], timedelta(0), ms) for message, ms in latencies])

    found = status(desk.conn)

    assert (found["payloads"], found["quotes_seen"], found["ticks"], found["withdrawals"]) == (2, 20, 2, 1)
    assert (found["alerts_opened"], found["alerts_open"]) == (3, 2)
    assert found["rejected"] == {"unknown_team": 2}
    assert found["suppressed"] == {"stale": 5, "thin": 1}
    assert found["latency_ms"] == pytest.approx({"p50": 25.0, "p95": 38.5, "p99": 39.7})
    assert [(s["sport"], s["payloads"]) for s in found["sports"]] == [("americanfootball_nfl", 1), ("icehockey_nhl", 1)]
    assert found["database"]["engine"] in {"PostgreSQL", "TimescaleDB"}
    assert json.dumps(found, default=str)
