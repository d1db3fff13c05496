"""Keyframes say what the ticks say, and no more once those have changed; feeds keep out of each other's quotes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.store.analytics.quarantine import (
    CheckVerdict,
    load_due_events,
    load_due_ticks,
    load_quarantined,
    quarantine_ticks,
    release_price,
)
from edge_assets.store.polls import as_of, keyframes
from edge_assets.store.polls.writer import write_poll
from ml.quotes import EventStarts, Market, MarketConfirmations, QuoteBatch
from tests.edge_assets.store.test_as_of import Model, ObservedPoll, poll_sequences
from tests.support.poll_factories import NAN, NOON, StoreHarness, rows

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

MINUTE = timedelta(minutes=1)


def keep(conn: Connection, sport: int, at: datetime | None = None) -> bool:
    """What a session does when it goes on from a poll."""
    poll = as_of.find_last_poll(conn, sport, at)
    return poll is not None and keyframes.save_keyframe_if_due(
        conn, poll, *as_of.load_last_quotes(conn, sport, poll.id)
    )


def stored_keyframes(conn: Connection) -> list[tuple[datetime, int]]:
    query = "SELECT observed_at, count(*)::integer FROM keyframes GROUP BY 1 ORDER BY 1"
    return [(at, n) for at, n in conn.execute(query).fetchall()]


@given(poll_sequence=poll_sequences(), kept=st.sets(st.integers(0, 5)))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_keyframes_anywhere_quotes_match_the_payloads(
    harness: StoreHarness, poll_sequence: list[ObservedPoll], kept: set[int]
) -> None:
    model = Model.create(harness)
    for number, make_poll in enumerate(poll_sequence):
        model.see(make_poll)
        if number in kept:
            keep(harness.conn, model.sport)
        model.check(make_poll.at)
    for make_poll in poll_sequence:
        model.check(make_poll.at)
        model.check(make_poll.at - timedelta(microseconds=1))


def test_quotes_and_their_polls_come_back_bit_for_bit(harness: StoreHarness) -> None:
    quotes = [harness.quote(1 + n / 7, event=n % 2, book=n % 3, point=n / 4, book_time=n) for n in range(40)]
    quotes += [harness.quote(2.5, book=book) for book in range(3)]
    harness.write(NOON, QuoteBatch.from_rows(quotes))
    before = as_of.load_last_quotes(harness.conn, harness.sport)

    assert keep(harness.conn, harness.sport)
    after = as_of.load_last_quotes(harness.conn, harness.sport)

    assert rows(after[0]) == rows(before[0]) == rows(QuoteBatch.from_rows(quotes))
    assert after[1].tolist() == before[1].tolist()
    assert stored_keyframes(harness.conn) == [(NOON, 2)]


def test_a_keyframe_is_kept_only_after_many_changes(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(2.0, point=n) for n in range(20)]))
    assert keep(harness.conn, harness.sport)
    harness.write(NOON + MINUTE, QuoteBatch.from_rows([harness.quote(2.1, point=n) for n in range(3)]))
    assert not keep(harness.conn, harness.sport)
    harness.write(NOON + 2 * MINUTE, QuoteBatch.from_rows([harness.quote(2.2)]))
    assert keep(harness.conn, harness.sport)
    assert [at for at, _ in stored_keyframes(harness.conn)] == [NOON, NOON + 2 * MINUTE]


def test_the_last_keyframe_of_an_old_day_is_kept(harness: StoreHarness) -> None:
    moments = [NOON, NOON + MINUTE, NOON + timedelta(days=1), NOON + timedelta(days=1, minutes=1)]
    for number, at in enumerate(moments):
        harness.write(at, QuoteBatch.from_rows([harness.quote(2.0 + number)]))
        assert keep(harness.conn, harness.sport)
    assert keyframes.compact_keyframes(harness.conn, NOON + timedelta(days=1)) == 1
    assert [at for at, _ in stored_keyframes(harness.conn)] == moments[1:]
    assert as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON).quotes.price.tolist() == [2.0]


def test_a_poll_inserted_before_keyframes_removes_them(harness: StoreHarness) -> None:
    for at in (NOON, NOON + 2 * MINUTE):
        harness.write(at, QuoteBatch.from_rows([harness.quote(2.0 + (at > NOON), book=int(at > NOON))]))
        assert keep(harness.conn, harness.sport)

    harness.write(NOON + MINUTE, QuoteBatch.from_rows([harness.quote(NAN)]))

    assert [at for at, _ in stored_keyframes(harness.conn)] == [NOON]
    assert as_of.load_last_quotes(harness.conn, harness.sport)[0].price.tolist() == [3.0]


def test_quarantine_and_release_leave_keyframes_unchanged(harness: StoreHarness) -> None:
    """Quarantine is recorded separately: what was on offer stays a fact."""
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(5.5), harness.quote(1.9, book=1)]))
    keep(harness.conn, harness.sport)
    ticks = load_due_ticks(harness.conn, load_due_events(harness.conn, everything=True), [Market.H2H])
    wrong = {name: column[ticks["price"] > 5] for name, column in ticks.items()}

    quarantine_ticks(harness.conn, wrong, [CheckVerdict("palpable_price", "too long")])
    assert sorted(as_of.load_last_quotes(harness.conn, harness.sport)[0].price.tolist()) == [1.9, 5.5]
    assert harness.conn.execute("SELECT price FROM clean_ticks WHERE price IS NOT NULL").fetchall() == [(1.9,)]

    keep(harness.conn, harness.sport)
    release_price(harness.conn, load_quarantined(harness.conn)[0].id, "ada")
    assert sorted(as_of.load_last_quotes(harness.conn, harness.sport)[0].price.tolist()) == [1.9, 5.5]
    assert harness.conn.execute("SELECT price FROM clean_ticks ORDER BY price").fetchall() == [(1.9,), (5.5,)]


def test_books_of_another_feed_are_not_in_a_feeds_keyframe(harness: StoreHarness) -> None:
    """A session goes on from it: what is missing in the next payload is withdrawn."""
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(2.0)]))
    elsewhere = harness.record(NOON + MINUTE, feed="nfl-bmr")
    quotes = QuoteBatch.from_rows([harness.quote(7.0, book=2), harness.quote(8.0)])
    write_poll(harness.conn, elsewhere, quotes, MarketConfirmations.empty(), EventStarts.empty())
    poll = harness.write(NOON + 2 * MINUTE, QuoteBatch.from_rows([harness.quote(1.9, book=1)]))

    for _ in range(2):
        found, polls = as_of.load_last_quotes(harness.conn, harness.sport, poll)
        assert sorted(found.price.tolist()) == [1.9, 2.0]
        assert poll in polls
        assert np.array_equal(np.unique(found.book), sorted(harness.books[:2]))
        keep(harness.conn, harness.sport)
    assert sorted(as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + MINUTE).quotes.price.tolist()) == [
        7.0,
        8.0,
    ]
    assert as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON).quotes.price.tolist() == [2.0]
