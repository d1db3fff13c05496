"""Reading back what polls have left, as it was after any of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.clock import micros
from edge_assets.store import alerts, board, outbox, polling, readers
from ml.quotes import Market, QuoteBatch
from tests.edge_assets.store.material import NAN, NOON, START, batch, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.edge_assets.store.material import Desk

SECOND = timedelta(seconds=1)


def at(second: int) -> datetime:
    """Seconds after noon."""
    return NOON + second * SECOND


def write(desk: Desk, second: int, *quotes: tuple[int, int, int, int, float, float, int], **values: object) -> int:
    """Store changes; return the poll's id."""
    poll = desk.write(at(second), QuoteBatch.of(quotes), **values)  # type: ignore[arg-type]
    assert poll is not None
    return poll


def prices(desk: Desk, upto_poll: int | None = None) -> list[float]:
    """The prices on offer, ascending."""
    return sorted(readers.last_quotes(desk.conn, desk.sport, upto_poll)[0].price.tolist())


def test_an_empty_database_answers_with_nothing(desk: Desk) -> None:
    quotes, polls = readers.last_quotes(desk.conn, desk.sport)
    times, starts, observed_at = readers.market_state(desk.conn, desk.sport)

    assert len(quotes) == len(polls) == len(times) == len(starts) == observed_at == 0
    assert readers.last_poll(desk.conn, desk.sport) is None
    assert readers.unscored_polls(desk.conn) == []
    assert board.feed(desk.conn) is None
    assert readers.backlog(desk.conn).polls == 0
    assert board.last_alert_id(desk.conn) == 0


def test_what_is_on_offer_is_what_came_last_and_was_not_withdrawn(desk: Desk) -> None:
    first = write(desk, 0, desk.quote(2.0), desk.quote(1.9, book=1), desk.quote(1.8, event=1))
    second = write(desk, 1, desk.quote(2.1), desk.quote(NAN, book=1))
    third = write(desk, 2, desk.quote(1.7, book=1))

    assert [prices(desk, poll) for poll in (first, second, third, None)] == [
        [1.8, 1.9, 2.0],
        [1.8, 2.1],
        [1.7, 1.8, 2.1],
        [1.7, 1.8, 2.1],
    ]


def test_every_quote_leads_back_to_the_poll_that_brought_it(desk: Desk) -> None:
    first = write(desk, 0, desk.quote(2.0), desk.quote(1.9, book=1))
    second = write(desk, 1, desk.quote(2.1))

    quotes, polls = readers.last_quotes(desk.conn, desk.sport)

    assert dict(zip(quotes.price.tolist(), polls.tolist(), strict=True)) == {1.9: first, 2.1: second}


def test_points_are_part_of_the_selection(desk: Desk) -> None:
    lines = [desk.quote(p, market=Market.SPREADS, point=x) for p, x in ((1.8, -3.5), (1.9, -3.0), (2.0, 0.0))]
    write(desk, 0, *lines)
    write(
        desk, 1, desk.quote(NAN, market=Market.SPREADS, point=-3.5), desk.quote(2.2, market=Market.SPREADS, point=-0.0)
    )

    assert prices(desk) == [1.9, 2.2]


def test_an_event_that_is_no_longer_listed_has_no_quotes(desk: Desk) -> None:
    first = write(desk, 0, desk.quote(2.0), desk.quote(1.8, event=1))
    write(desk, 1, listed=[desk.events[0]])

    assert prices(desk) == [2.0]
    assert prices(desk, first) == [1.8, 2.0]


def test_what_is_on_offer_is_exact_to_the_last_bit(desk: Desk) -> None:
    quotes = batch(2_000, desk.events)
    poll = write(desk, 0)
    desk.write(at(1) + timedelta(microseconds=123_457), quotes)

    found, polls = readers.last_quotes(desk.conn, desk.sport)

    assert rows(found) == rows(quotes.take(~np.isnan(quotes.price)))
    assert set(polls.tolist()) == {poll + 1}


def test_of_ticks_a_microsecond_apart_the_younger_counts(desk: Desk) -> None:
    for micro, price in enumerate((2.0, 3.0, 1.5)):
        desk.write(at(1) + timedelta(microseconds=micro), QuoteBatch.of([desk.quote(price)]))

    assert prices(desk) == [1.5]


def test_sports_are_told_apart(desk: Desk) -> None:
    write(desk, 0, desk.quote(2.0))
    other = write(desk, 1, sport=desk.other_sport, listed=[])

    assert prices(desk) == [2.0]
    assert readers.last_poll(desk.conn, desk.other_sport) == (other, at(1))


def test_the_last_poll_at_a_moment(desk: Desk) -> None:
    ids = [write(desk, second) for second in (0, 10)]

    found = [readers.last_poll(desk.conn, desk.sport, at(second)) for second in (-1, 0, 9, 10, 99)]
    assert [poll and poll.id for poll in found] == [None, ids[0], ids[0], ids[1], ids[1]]


def test_the_state_of_the_markets_is_that_of_the_poll(desk: Desk) -> None:
    confirmed = [(desk.events[0], desk.books[0], Market.H2H, micros(NOON) + n) for n in range(2)]
    first = write(desk, 0, times=confirmed[:1])
    write(desk, 1, times=confirmed[1:], listed=desk.events[1:])

    times, starts, observed_at = readers.market_state(desk.conn, desk.sport, first)
    assert (times.book_time.tolist(), observed_at) == ([micros(NOON)], micros(NOON))
    assert (starts.event.tolist(), set(starts.commence_at.tolist())) == (desk.events, {micros(START)})
    times, starts, observed_at = readers.market_state(desk.conn, desk.sport)
    assert (times.book_time.tolist(), observed_at) == ([micros(NOON) + 1], micros(at(1)))
    assert starts.event.tolist() == desk.events[1:]


def test_changes_are_those_of_the_poll_alone(desk: Desk) -> None:
    first = write(desk, 0, desk.quote(2.0))
    second = write(desk, 1, desk.quote(NAN), desk.quote(1.5, book=1))

    assert rows(readers.changes(desk.conn, first).quotes) == rows(QuoteBatch.of([desk.quote(2.0)]))
    assert len(readers.changes(desk.conn, second).quotes) == 2
    with pytest.raises(LookupError, match="no poll"):
        readers.changes(desk.conn, second + 1)


def test_the_outbox_is_in_order_and_by_sport(desk: Desk) -> None:
    ids = [write(desk, second) for second in range(4)]
    write(desk, 9, sport=desk.other_sport)

    outbox.mark_published(desk.conn, desk.sport, ids[1:2])

    assert [c.poll_id for c in outbox.unpublished_polls(desk.conn, desk.sport)] == [ids[0], *ids[2:]]


def test_unscored_polls_are_those_behind_the_scorer_whatever_the_clock_says(desk: Desk) -> None:
    ids = [write(desk, second) for second in range(3)]
    other = write(desk, 1, sport=desk.other_sport)
    assert [poll.poll_id for poll in readers.unscored_polls(desk.conn)] == [*ids, other]

    # time has passed beyond polls that are still to come
    alerts.commit_step(desk.conn, desk.sport, ids[1], micros(at(60)), [], {})

    assert [poll.poll_id for poll in readers.unscored_polls(desk.conn)] == [ids[2], other]
    assert readers.backlog(desk.conn).polls == 2
    assert board.feed(desk.conn) == "simulate"


def test_last_looks_tell_what_cadences_need(desk: Desk) -> None:
    write(desk, 0, desk.quote(2.0))
    write(desk, 30, desk.quote(2.1), desk.quote(1.9, book=1), listed=desk.events)

    (look,) = polling.last_looks(desk.conn).values()

    assert (look.observed_at, look.starts) == (at(30), (START,))
    assert look.movement == pytest.approx(2 / 10 / 0.5)


def test_an_unread_time_is_infinitely_old(desk: Desk) -> None:
    write(desk, 0, desk.quote(2.0))

    assert np.isinf(readers.as_of(desk.conn, desk.events[0], at(1)).age_seconds).tolist() == [True]


def test_readers_leave_no_transaction_open(desk: Desk, conn: Connection) -> None:
    write(desk, 0, desk.quote(2.0))
    readers.last_quotes(conn, desk.sport)

    assert conn.info.transaction_status.name == "IDLE"
