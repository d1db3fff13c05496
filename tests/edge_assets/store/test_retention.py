"""What was polled goes in time, by the bounds of where it lies; what was imported stays; nobody is stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.core.retention_days import DEFAULT_RETENTION, FOREVER_DAYS, RetentionDays
from edge_assets.store.events import imports
from edge_assets.store.health.problems import ProblemKind, clear_problem, report_problem
from edge_assets.store.maintenance import batch_deletion, retention
from edge_assets.store.maintenance.retention import apply_retention
from edge_assets.store.polls import as_of, keyframes
from edge_assets.store.polls.bulk_writer import write_quotes
from edge_assets.store.polls.writer import get_partitions, write_poll
from edge_assets.store.postgres.database import connect
from ml.quotes import EventStarts, MarketConfirmations, QuoteBatch
from tests.support.poll_factories import NAN, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from edge_assets.store.postgres.partition_bounds import Segment
    from tests.support.poll_factories import StoreHarness

DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 30, 12, tzinfo=UTC)
EVERYTHING = RetentionDays(
    payloads=FOREVER_DAYS, ticks=FOREVER_DAYS, alerts=FOREVER_DAYS, prices=FOREVER_DAYS, runs=FOREVER_DAYS
)
FIVE_DAYS = replace(EVERYTHING, payloads=5, ticks=5)


def bring(harness: StoreHarness, at: datetime, price: float = 1.5) -> None:
    """Import a poll as the importer of captures writes it: months are made first."""
    get_partitions(harness.conn).ensure_months(harness.conn, [at])
    number, _ = imports.begin_import(harness.conn, "odds-api", f"{at}.json", f"{at} {price}".encode())
    quotes = QuoteBatch.from_rows([harness.quote(price)])
    record = harness.record(at, import_id=number, feed="odds-api")
    assert (
        write_poll(harness.conn, record, quotes, MarketConfirmations.from_rows(()), EventStarts.from_rows(()))
        is not None
    )


def days(conn: Connection, table: str) -> list[str]:
    """The days that a table has rows of, one a row."""
    found = conn.execute(f"SELECT observed_at::date::text FROM {table} ORDER BY observed_at").fetchall()
    return [day for (day,) in found]


def day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


@pytest.mark.parametrize("kept", [29, 5])
def test_the_month_of_an_import_keeps_the_ticks_of_today(harness: StoreHarness, kept: int) -> None:
    """The monthly partition sorts before any of its days, as text."""
    bring(harness, TODAY - 29 * DAY)
    for age in (20, 1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote(2.0 + age)]))

    done = apply_retention(harness.conn, replace(EVERYTHING, payloads=kept, ticks=kept), TODAY)

    live = [20, 1, 0] if kept == 29 else [1, 0]
    for table in ("odds_ticks", "payloads", "polls"):
        assert days(harness.conn, table) == [day(TODAY - age * DAY) for age in (29, *live)], (table, done)


def test_imported_days_stay_and_old_polled_days_go(harness: StoreHarness) -> None:
    """In a month of an import, in days that an import shares with polls, in days and months of their own."""
    bring(harness, TODAY - 400 * DAY)
    bring(harness, TODAY - 60 * DAY)  # of October: the polls of the 59th and 40th day go into its month
    for age in (59, 40, 31, 1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote(2.0)]))
    for age in (58, 31):
        bring(harness, TODAY - age * DAY - timedelta(hours=1))

    for _ in range(2):
        apply_retention(harness.conn, FIVE_DAYS, TODAY)

        for table in ("odds_ticks", "payloads", "polls"):
            assert days(harness.conn, table) == [day(TODAY - age * DAY) for age in (400, 60, 58, 31, 1, 0)], table


def test_ticks_of_an_import_without_payloads_stay(harness: StoreHarness) -> None:
    at = TODAY - 300 * DAY
    bring(harness, at)
    [poll] = harness.conn.execute("SELECT id FROM polls").fetchone() or ()
    write_quotes(
        harness.conn, QuoteBatch.from_rows([harness.quote(3.0, book=1)]), np.array([to_micros(at)]), np.array([poll])
    )
    harness.write(TODAY, QuoteBatch.from_rows([harness.quote(2.0)]))

    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    assert days(harness.conn, "odds_ticks") == [day(at), day(at), day(TODAY)]


def test_an_unchanged_price_outlives_its_tick(harness: StoreHarness) -> None:
    """An outright may not move for a season."""
    old, new = QuoteBatch.from_rows([harness.quote(9.0, event=1)]), QuoteBatch.from_rows([harness.quote(2.0)])
    harness.write(TODAY - 40 * DAY, old)
    for age in (7, 0):
        harness.write(TODAY - age * DAY, new)
    before = as_of.load_last_quotes(harness.conn, harness.sport)

    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    quotes, polls = as_of.load_last_quotes(harness.conn, harness.sport)
    assert days(harness.conn, "odds_ticks") == [day(TODAY)]
    assert (rows(quotes), polls.tolist()) == (rows(before[0]), before[1].tolist())


def test_a_price_that_was_withdrawn_does_not_come_back_with_an_old_keyframe(harness: StoreHarness) -> None:
    harness.write(TODAY - 40 * DAY, QuoteBatch.from_rows([harness.quote(9.0)]))
    last = as_of.find_last_poll(harness.conn, harness.sport)
    assert last is not None
    assert keyframes.save_keyframe_if_due(
        harness.conn, last, *as_of.load_last_quotes(harness.conn, harness.sport, last.id)
    )
    for age, quotes in ((30, [harness.quote(NAN)]), (1, []), (0, [])):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows(quotes))

    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    assert len(as_of.load_last_quotes(harness.conn, harness.sport)[0]) == 0


def test_the_last_poll_of_a_sport_is_kept_through_the_off_season(harness: StoreHarness) -> None:
    for age in (200, 199, 198):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote(2.0)]), sport=harness.other_sport)
    harness.write(TODAY, QuoteBatch.from_rows([harness.quote(2.0)]))

    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    assert days(harness.conn, "polls") == [day(TODAY - age * DAY) for age in (199, 198, 0)]
    assert as_of.find_last_poll(harness.conn, harness.other_sport) is not None


def test_a_replay_ages_by_its_own_time_and_nothing_by_a_clock_that_is_ahead(harness: StoreHarness) -> None:
    for age in (3, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote(2.0)]))

    assert apply_retention(harness.conn, FIVE_DAYS, TODAY + 400 * DAY).dropped["odds_ticks: segments"] == 0
    report_problem(harness.conn, ProblemKind.CLOCK_CHANGED, "", "an hour ahead")
    assert apply_retention(harness.conn, replace(FIVE_DAYS, ticks=1), TODAY).dropped == {}
    clear_problem(harness.conn, ProblemKind.CLOCK_CHANGED, "")
    assert apply_retention(harness.conn, replace(FIVE_DAYS, ticks=1), TODAY).dropped["odds_ticks: segments"] == 1


def test_partitions_being_read_stay_until_the_next_run(
    harness: StoreHarness, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOCK_TIMEOUT", "50ms")
    for age in (9, 8, 1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote()]))
    with connect(database_url, "analyst") as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM odds_ticks")
        done = apply_retention(harness.conn, FIVE_DAYS, TODAY)

        assert (done.dropped["odds_ticks: segments"], done.dropped["payloads: segments"]) == (0, 2)
        assert len(done.postponed) == 2
        assert days(harness.conn, "polls") == [day(TODAY - age * DAY) for age in (9, 8, 1, 0)]

    assert apply_retention(harness.conn, FIVE_DAYS, TODAY).dropped["odds_ticks: segments"] == 2
    assert days(harness.conn, "odds_ticks") == days(harness.conn, "polls") == [day(TODAY - DAY), day(TODAY)]


def test_a_day_that_is_gone_can_be_written_again(harness: StoreHarness, database_url: str) -> None:
    harness.write(TODAY - 9 * DAY, QuoteBatch.from_rows([harness.quote()]))
    harness.write(TODAY, QuoteBatch.from_rows([harness.quote()]))
    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    with connect(database_url, "importer") as harness.conn:
        assert (
            harness.write(TODAY - 9 * DAY + timedelta(seconds=1), QuoteBatch.from_rows([harness.quote()])) is not None
        )


def test_rows_imported_meanwhile_are_kept(harness: StoreHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The import commits after a segment was read and before it is locked."""
    for age in (9, 1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote()]))
    asked = retention._has_polls

    def late(conn: Connection, segment: Segment, *, live: bool) -> bool:
        found = asked(conn, segment, live=live)
        if not live and not found and segment.until < TODAY and segment.since < TODAY - 8 * DAY:
            bring(harness, TODAY - 9 * DAY + timedelta(hours=1))
            monkeypatch.setattr(retention, "_has_polls", asked)
        return found

    monkeypatch.setattr(retention, "_has_polls", late)
    apply_retention(harness.conn, FIVE_DAYS, TODAY)

    for table in ("odds_ticks", "payloads", "polls"):
        assert days(harness.conn, table) == [day(TODAY - age * DAY) for age in (9, 1, 0)], table


def test_polls_stay_as_long_as_their_payloads(
    harness: StoreHarness, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOCK_TIMEOUT", "50ms")
    for age in (9, 1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote()]))
    with connect(database_url, "analyst") as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM payloads")
        apply_retention(harness.conn, FIVE_DAYS, TODAY)
        assert len(days(harness.conn, "polls")) == 3
    apply_retention(harness.conn, FIVE_DAYS, TODAY)
    assert len(days(harness.conn, "polls")) == len(days(harness.conn, "payloads")) == 2


ALERT = """
INSERT INTO alerts (
    alert_id, seq, kind, state, sport_id, event_id, market_id, expected_value, books, price_age_s, observed_at, poll_id,
    tick_poll_id
) VALUES (%(alert)s, %(seq)s, 'value', %(state)s, %(sport)s, %(event)s, 1, 0.1, 5, 1, %(at)s, %(poll)s, %(poll)s)
"""


def test_closed_alerts_go_and_an_open_one_keeps_its_poll(harness: StoreHarness) -> None:
    """The newest step of all stays: what a client has seen last is compared with it."""
    steps: list[tuple[int, int, str, int]] = [
        (1, 0, "opened", 40), (1, 1, "closed", 39), (2, 0, "opened", 38), (3, 0, "opened", 9), (3, 1, "closed", 0),
    ]  # fmt: skip
    for alert, seq, state, age in steps:
        at = TODAY - age * DAY
        poll = harness.write(at, QuoteBatch.from_rows([]))
        about: dict[str, Any] = {"sport": harness.sport, "event": harness.events[0], "poll": poll}
        harness.conn.execute(ALERT, about | {"alert": f"{alert:032d}", "seq": seq, "state": state, "at": at})
        harness.conn.execute("INSERT INTO suppressions VALUES (%s, 'thin', 3)", [poll])
    harness.conn.execute("INSERT INTO alert_publications SELECT id, now(), 5 FROM alerts")
    harness.conn.execute("INSERT INTO alert_outbox SELECT id FROM alerts ON CONFLICT DO NOTHING")

    apply_retention(harness.conn, replace(EVERYTHING, alerts=5, ticks=5), TODAY)

    assert harness.conn.execute("SELECT right(alert_id::text, 1), seq FROM alerts ORDER BY id").fetchall() == [
        ("2", 0), ("3", 0), ("3", 1),
    ]  # fmt: skip
    assert days(harness.conn, "polls") == [day(TODAY - age * DAY) for age in (38, 9, 0)]
    assert harness.conn.execute("SELECT count(*) FROM suppressions").fetchone() == (1,)
    for reported in ("alert_publications", "alert_outbox"):
        assert harness.conn.execute(f"SELECT count(*) FROM {reported}").fetchone() == (3,), reported


def test_more_polls_than_a_batch_go_with_their_dependent_rows(
    harness: StoreHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the warehouse has priced them or not."""
    monkeypatch.setattr(batch_deletion, "BATCH_ROWS", 2)
    old = [harness.write(TODAY - (40 + n) * DAY, QuoteBatch.from_rows([harness.quote(2.0 + n)])) for n in range(7)]
    for age in (1, 0):
        harness.write(TODAY - age * DAY, QuoteBatch.from_rows([harness.quote(5.0)]))
    harness.conn.execute("INSERT INTO pricing.priced_polls SELECT id FROM polls WHERE id = %s", [old[3]])
    harness.conn.execute("INSERT INTO poll_outbox SELECT sport_id, id FROM polls ON CONFLICT DO NOTHING")
    harness.conn.execute(QUARANTINED)

    assert apply_retention(harness.conn, FIVE_DAYS, TODAY).dropped["polls"] == len(old)

    for table in ("poll_outbox", "quarantined_ticks"):
        assert harness.conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,), table


QUARANTINED = """
INSERT INTO quarantined_ticks (
    observed_at, poll_id, price, event_id, outcome_id, book_id, market_id, check_name, reason
)
SELECT t.observed_at, t.poll_id, 9, t.event_id, t.outcome_id, t.book_id, t.market_id, 'margin', 'x' FROM odds_ticks AS t
"""


def test_the_warehouse_forgets_polled_games_only(harness: StoreHarness) -> None:
    harness.write(TODAY, QuoteBatch.from_rows([harness.quote()]))
    harness.conn.execute("INSERT INTO event_sources VALUES (%s, 'football-data', 'x')", [harness.events[1]])
    for event in harness.events:
        harness.conn.execute("INSERT INTO pricing.priced_decisions VALUES (%s, 1, now(), NULL, 1)", [event])

    assert apply_retention(harness.conn, DEFAULT_RETENTION["simulate"], TODAY).dropped["warehouse rows"] == 1

    assert harness.conn.execute("SELECT event_id FROM pricing.priced_decisions").fetchall() == [(harness.events[1],)]
