"""The counts of `edge status`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from edge_assets.store.health.totals import load_status
from edge_assets.store.polls import bulk_writer
from edge_assets.store.polls.writer import write_poll
from ml.quotes import EventStarts, MarketConfirmations, QuoteBatch
from ml.scoring.alerts import close_alert
from tests.support.alert_factories import value_bet
from tests.support.poll_factories import NAN, NOON

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness


def test_an_empty_database_counts_nothing(harness: StoreHarness) -> None:
    found = load_status(harness.conn)

    counts = ("payloads", "quotes_seen", "ticks", "withdrawals", "alerts_opened", "alerts_open")
    assert [found[key] for key in counts] == [0] * 6
    assert found["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert found["contradicted_results"] == 0
    assert (found["rejected"], found["suppressed"], found["sports"]) == ({}, {}, [])


def publish(harness: StoreHarness, steps: list[tuple[int, timedelta, float]]) -> None:
    """Note publications so long ago, with latencies in milliseconds."""
    (now,) = harness.conn.execute("SELECT clock_timestamp()").fetchone() or (NOON,)
    alert_log.mark_published(harness.conn, [alert_log.AlertPublication(i, now - ago, ms, None) for i, ago, ms in steps])


def test_latencies_are_of_the_last_hour(harness: StoreHarness) -> None:
    """Neither a suspension hours ago nor a clock that was ahead stays in them."""
    hours = [timedelta(minutes=90), timedelta(minutes=5), -timedelta(hours=1)]
    publish(harness, [(n, ago, ms) for n, (ago, ms) in enumerate(zip(hours, (899_000.0, 20.0, 7.0), strict=True))])
    assert load_status(harness.conn)["latency_ms"] == {"p50": 20.0, "p95": 20.0, "p99": 20.0}


def test_uncommitted_rows_are_not_counted(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.empty(), sport=harness.other_sport)
    with harness.conn.transaction(force_rollback=True):
        harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    assert load_status(harness.conn)["payloads"] == 1
    assert harness.write(NOON, QuoteBatch.from_rows([harness.quote()])) is not None
    assert harness.write(NOON, QuoteBatch.from_rows([harness.quote()])) is None, "it is stored already"
    assert [load_status(harness.conn)[key] for key in ("payloads", "ticks")] == [2, 1]


def test_totals_outlive_what_they_count(harness: StoreHarness) -> None:
    poll = harness.write(NOON, QuoteBatch.from_rows([harness.quote()]))
    assert poll is not None
    alert_log.commit_scoring_step(
        harness.conn, harness.sport, poll, to_micros(NOON), [value_bet(harness, poll)], {"thin": 2}
    )
    before = load_status(harness.conn)
    harness.conn.execute("DELETE FROM suppressions")
    harness.conn.execute("DELETE FROM polls")
    harness.conn.execute("DELETE FROM alerts WHERE id NOT IN (SELECT id FROM open_alerts)")
    after = load_status(harness.conn)
    assert {key: after[key] for key in before} == before


def test_an_import_that_goes_on_adds_to_its_polls(harness: StoreHarness) -> None:
    harness.conn.execute("INSERT INTO imports (format, path, sha256) VALUES ('odds-ticks', 'x', '\\x00')")
    poll_list = bulk_writer.ImportedPolls(harness.sport, "odds-ticks", 1, False, np.array([to_micros(NOON)]))
    for ticks in (5, 3):
        bulk_writer.write_polls(harness.conn, poll_list, np.array([ticks]), np.array([1]), "run-1")
    counts = load_status(harness.conn)
    assert (counts["payloads"], counts["ticks"], counts["withdrawals"]) == (1, 8, 2)
    assert lookups.find_live_feed(harness.conn) is None, "nothing was polled"


def test_everything_is_counted_once(harness: StoreHarness) -> None:
    record = replace(harness.record(NOON), rejected={"unknown_team": 2})
    quotes = QuoteBatch.from_rows([harness.quote(), harness.quote(book=1), harness.quote(NAN, book=2)])
    poll = write_poll(harness.conn, record, quotes, MarketConfirmations.empty(), EventStarts.empty())
    assert poll is not None
    harness.write(NOON, QuoteBatch.empty(), sport=harness.other_sport)
    bets = [value_bet(harness, poll, book=book) for book in range(3)]
    alert_log.commit_scoring_step(harness.conn, harness.sport, poll, to_micros(NOON), bets, {"stale": 4, "thin": 1})
    closed = [close_alert(bets[0], "stale", to_micros(NOON), poll)]
    alert_log.commit_scoring_step(harness.conn, harness.sport, poll, to_micros(NOON), closed, {"stale": 1})
    latencies = zip(alert_log.load_unpublished_messages(harness.conn), (10.0, 20.0, 30.0, 40.0), strict=True)
    publish(harness, [(message["id"], timedelta(0), ms) for message, ms in latencies])

    found = load_status(harness.conn)

    assert (found["payloads"], found["quotes_seen"], found["ticks"], found["withdrawals"]) == (2, 20, 2, 1)
    assert (found["alerts_opened"], found["alerts_open"]) == (3, 2)
    assert found["rejected"] == {"unknown_team": 2}
    assert found["suppressed"] == {"stale": 5, "thin": 1}
    assert found["latency_ms"] == pytest.approx({"p50": 25.0, "p95": 38.5, "p99": 39.7})
    assert [(s["sport"], s["payloads"]) for s in found["sports"]] == [("americanfootball_nfl", 1), ("icehockey_nhl", 1)]
    assert found["database"]["engine"] in {"PostgreSQL", "TimescaleDB"}
    assert json.dumps(found, default=str)
