"""Keyframes say what the ticks say, and no more once those have changed; feeds keep out of each other's quotes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.store import offers, readers
from edge_assets.store.quarantine import Verdict, events_due, quarantine, quarantined, release, ticks_of
from edge_assets.store.writer import write_poll
from ml.quotes import EventStarts, Market, MarketTimes, QuoteBatch
from tests.edge_assets.store.material import NAN, NOON, Desk, rows
from tests.edge_assets.store.test_as_of import Look, Model, stories

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

MINUTE = timedelta(minutes=1)


def keep(conn: Connection, sport: int, at: datetime | None = None) -> bool:
    """What a session does when it goes on from a poll."""
    poll = readers.last_poll(conn, sport, at)
    return poll is not None and offers.keep(conn, poll, *readers.last_quotes(conn, sport, poll.id))


def keyframes(conn: Connection) -> list[tuple[datetime, int]]:
    query = "SELECT observed_at, count(*)::integer FROM keyframes GROUP BY 1 ORDER BY 1"
    return [(at, n) for at, n in conn.execute(query).fetchall()]


@given(story=stories(), kept=st.sets(st.integers(0, 5)))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_keyframes_anywhere_it_is_what_the_payloads_said(desk: Desk, story: list[Look], kept: set[int]) -> None:
    model = Model.create(desk)
    for number, look in enumerate(story):
        model.see(look)
        if number in kept:
            keep(desk.conn, model.sport)
        model.check(look.at)
    for look in story:
        model.check(look.at)
        model.check(look.at - timedelta(microseconds=1))


def test_quotes_and_their_polls_come_back_bit_for_bit(desk: Desk) -> None:
    quotes = [desk.quote(1 + n / 7, event=n % 2, book=n % 3, point=n / 4, book_time=n) for n in range(40)]
    quotes += [desk.quote(2.5, book=book) for book in range(3)]
    desk.write(NOON, QuoteBatch.of(quotes))
    before = readers.last_quotes(desk.conn, desk.sport)

    assert keep(desk.conn, desk.sport)
    after = readers.last_quotes(desk.conn, desk.sport)

    assert rows(after[0]) == rows(before[0]) == rows(QuoteBatch.of(quotes))
    assert after[1].tolist() == before[1].tolist()
    assert keyframes(desk.conn) == [(NOON, 2)]


def test_one_is_kept_only_when_much_has_changed(desk: Desk) -> None:
    desk.write(NOON, QuoteBatch.of([desk.quote(2.0, point=n) for n in range(20)]))
    assert keep(desk.conn, desk.sport)
    desk.write(NOON + MINUTE, QuoteBatch.of([desk.quote(2.1, point=n) for n in range(3)]))
    assert not keep(desk.conn, desk.sport)
    desk.write(NOON + 2 * MINUTE, QuoteBatch.of([desk.quote(2.2)]))
    assert keep(desk.conn, desk.sport)
    assert [at for at, _ in keyframes(desk.conn)] == [NOON, NOON + 2 * MINUTE]


def test_of_a_day_long_past_the_last_one_is_kept(desk: Desk) -> None:
    moments = [NOON, NOON + MINUTE, NOON + timedelta(days=1), NOON + timedelta(days=1, minutes=1)]
    for number, at in enumerate(moments):
        desk.write(at, QuoteBatch.of([desk.quote(2.0 + number)]))
        assert keep(desk.conn, desk.sport)
    assert offers.thin(desk.conn, NOON + timedelta(days=1)) == 1
    assert [at for at, _ in keyframes(desk.conn)] == moments[1:]
    assert readers.as_of(desk.conn, desk.events[0], NOON).quotes.price.tolist() == [2.0]


def test_a_look_put_in_between_undoes_the_keyframes_behind_it(desk: Desk) -> None:
    for at in (NOON, NOON + 2 * MINUTE):
        desk.write(at, QuoteBatch.of([desk.quote(2.0 + (at > NOON), book=int(at > NOON))]))
        assert keep(desk.conn, desk.sport)

    desk.write(NOON + MINUTE, QuoteBatch.of([desk.quote(NAN)]))

    assert [at for at, _ in keyframes(desk.conn)] == [NOON]
    assert readers.last_quotes(desk.conn, desk.sport)[0].price.tolist() == [3.0]


def test_quarantine_and_release_leave_what_was_seen(desk: Desk) -> None:
    """What was on offer is a fact; that nobody should act on it is another, beside it."""
    desk.write(NOON, QuoteBatch.of([desk.quote(5.5), desk.quote(1.9, book=1)]))
    keep(desk.conn, desk.sport)
    ticks = ticks_of(desk.conn, events_due(desk.conn, everything=True), [Market.H2H])
    wrong = {name: column[ticks["price"] > 5] for name, column in ticks.items()}

    quarantine(desk.conn, wrong, [Verdict("palpable_price", "too long")])
    assert sorted(readers.last_quotes(desk.conn, desk.sport)[0].price.tolist()) == [1.9, 5.5]
    assert desk.conn.execute("SELECT price FROM clean_ticks WHERE price IS NOT NULL").fetchall() == [(1.9,)]

    keep(desk.conn, desk.sport)
    release(desk.conn, quarantined(desk.conn)[0].id, "ada")
    assert sorted(readers.last_quotes(desk.conn, desk.sport)[0].price.tolist()) == [1.9, 5.5]
    assert desk.conn.execute("SELECT price FROM clean_ticks ORDER BY price").fetchall() == [(1.9,), (5.5,)]


def test_another_feed_s_books_are_no_part_of_a_feed_s_offer(desk: Desk) -> None:
    """A session goes on from it: what is missing in the next payload is withdrawn."""
    desk.write(NOON, QuoteBatch.of([desk.quote(2.0)]))
    elsewhere = desk.record(NOON + MINUTE, feed="nfl-bmr")
    quotes = QuoteBatch.of([desk.quote(7.0, book=2), desk.quote(8.0)])
    write_poll(desk.conn, elsewhere, quotes, MarketTimes.empty(), EventStarts.empty())
    poll = desk.write(NOON + 2 * MINUTE, QuoteBatch.of([desk.quote(1.9, book=1)]))

    for _ in range(2):
        found, polls = readers.last_quotes(desk.conn, desk.sport, poll)
        assert sorted(found.price.tolist()) == [1.9, 2.0]
        assert poll in polls
        assert np.array_equal(np.unique(found.book), sorted(desk.books[:2]))
        keep(desk.conn, desk.sport)
    assert sorted(readers.as_of(desk.conn, desk.events[0], NOON + MINUTE).quotes.price.tolist()) == [7.0, 8.0]
    assert readers.as_of(desk.conn, desk.events[0], NOON).quotes.price.tolist() == [2.0]
