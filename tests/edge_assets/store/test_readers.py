"""Reading back what polls have left, as it was after any of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from edge_assets.store.polls import activity, as_of, outbox
from ml.quotes import Market, QuoteBatch
from tests.support.poll_factories import NAN, NOON, START, batch, rows

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.support.poll_factories import StoreHarness

SECOND = timedelta(seconds=1)


def at(second: int) -> datetime:
    """Seconds after noon."""
    return NOON + second * SECOND


def write(
    harness: StoreHarness, second: int, *quotes: tuple[int, int, int, int, float, float, int], **values: object
) -> int:
    """Store changes; return the poll's id."""
    poll = harness.write(at(second), QuoteBatch.from_rows(quotes), **values)  # type: ignore[arg-type]
    assert poll is not None
    return poll


def prices(harness: StoreHarness, upto_poll: int | None = None) -> list[float]:
    """The prices on offer, ascending."""
    return sorted(as_of.load_last_quotes(harness.conn, harness.sport, upto_poll)[0].price.tolist())


def test_an_empty_database_answers_with_nothing(harness: StoreHarness) -> None:
    quotes, polls = as_of.load_last_quotes(harness.conn, harness.sport)
    times, starts, observed_at = as_of.load_market_state(harness.conn, harness.sport)

    assert len(quotes) == len(polls) == len(times) == len(starts) == observed_at == 0
    assert as_of.find_last_poll(harness.conn, harness.sport) is None
    assert as_of.load_unscored_polls(harness.conn) == []
    assert lookups.find_live_feed(harness.conn) is None
    assert as_of.load_backlog(harness.conn).polls == 0
    assert lookups.load_last_alert_id(harness.conn) == 0


def test_on_offer_are_the_latest_quotes_not_withdrawn(harness: StoreHarness) -> None:
    first = write(harness, 0, harness.quote(2.0), harness.quote(1.9, book=1), harness.quote(1.8, event=1))
    second = write(harness, 1, harness.quote(2.1), harness.quote(NAN, book=1))
    third = write(harness, 2, harness.quote(1.7, book=1))

    assert [prices(harness, poll) for poll in (first, second, third, None)] == [
        [1.8, 1.9, 2.0],
        [1.8, 2.1],
        [1.7, 1.8, 2.1],
        [1.7, 1.8, 2.1],
    ]


def test_every_quote_refers_to_its_poll(harness: StoreHarness) -> None:
    first = write(harness, 0, harness.quote(2.0), harness.quote(1.9, book=1))
    second = write(harness, 1, harness.quote(2.1))

    quotes, polls = as_of.load_last_quotes(harness.conn, harness.sport)

    assert dict(zip(quotes.price.tolist(), polls.tolist(), strict=True)) == {1.9: first, 2.1: second}


def test_points_are_part_of_the_selection(harness: StoreHarness) -> None:
    lines = [harness.quote(p, market=Market.SPREADS, point=x) for p, x in ((1.8, -3.5), (1.9, -3.0), (2.0, 0.0))]
    write(harness, 0, *lines)
    write(
        harness,
        1,
        harness.quote(NAN, market=Market.SPREADS, point=-3.5),
        harness.quote(2.2, market=Market.SPREADS, point=-0.0),
    )

    assert prices(harness) == [1.9, 2.2]


def test_an_event_that_is_no_longer_listed_has_no_quotes(harness: StoreHarness) -> None:
    first = write(harness, 0, harness.quote(2.0), harness.quote(1.8, event=1))
    write(harness, 1, listed=[harness.events[0]])

    assert prices(harness) == [2.0]
    assert prices(harness, first) == [1.8, 2.0]


def test_quotes_on_offer_are_exact_to_the_last_bit(harness: StoreHarness) -> None:
    quotes = batch(2_000, harness.events)
    poll = write(harness, 0)
    harness.write(at(1) + timedelta(microseconds=123_457), quotes)

    found, polls = as_of.load_last_quotes(harness.conn, harness.sport)

    assert rows(found) == rows(quotes.take(~np.isnan(quotes.price)))
    assert set(polls.tolist()) == {poll + 1}


def test_the_later_of_two_ticks_a_microsecond_apart_counts(harness: StoreHarness) -> None:
    for micro, price in enumerate((2.0, 3.0, 1.5)):
        harness.write(at(1) + timedelta(microseconds=micro), QuoteBatch.from_rows([harness.quote(price)]))

    assert prices(harness) == [1.5]


def test_sports_are_kept_apart(harness: StoreHarness) -> None:
    write(harness, 0, harness.quote(2.0))
    other = write(harness, 1, sport=harness.other_sport, listed=[])

    assert prices(harness) == [2.0]
    assert as_of.find_last_poll(harness.conn, harness.other_sport) == (other, at(1))


def test_the_last_poll_at_a_moment(harness: StoreHarness) -> None:
    ids = [write(harness, second) for second in (0, 10)]

    found = [as_of.find_last_poll(harness.conn, harness.sport, at(second)) for second in (-1, 0, 9, 10, 99)]
    assert [poll and poll.id for poll in found] == [None, ids[0], ids[0], ids[1], ids[1]]


def test_the_state_of_the_markets_is_that_of_the_poll(harness: StoreHarness) -> None:
    confirmed = [(harness.events[0], harness.books[0], Market.H2H, to_micros(NOON) + n) for n in range(2)]
    first = write(harness, 0, times=confirmed[:1])
    write(harness, 1, times=confirmed[1:], listed=harness.events[1:])

    times, starts, observed_at = as_of.load_market_state(harness.conn, harness.sport, first)
    assert (times.confirmed_at.tolist(), observed_at) == ([to_micros(NOON)], to_micros(NOON))
    assert (starts.event.tolist(), set(starts.commence_at.tolist())) == (harness.events, {to_micros(START)})
    times, starts, observed_at = as_of.load_market_state(harness.conn, harness.sport)
    assert (times.confirmed_at.tolist(), observed_at) == ([to_micros(NOON) + 1], to_micros(at(1)))
    assert starts.event.tolist() == harness.events[1:]


def test_changes_are_those_of_the_poll_alone(harness: StoreHarness) -> None:
    first = write(harness, 0, harness.quote(2.0))
    second = write(harness, 1, harness.quote(NAN), harness.quote(1.5, book=1))

    assert rows(as_of.load_poll_changes(harness.conn, first).quotes) == rows(QuoteBatch.from_rows([harness.quote(2.0)]))
    assert len(as_of.load_poll_changes(harness.conn, second).quotes) == 2
    with pytest.raises(LookupError, match="poll 3 does not exist"):
        as_of.load_poll_changes(harness.conn, second + 1)


def test_the_outbox_is_in_order_and_by_sport(harness: StoreHarness) -> None:
    ids = [write(harness, second) for second in range(4)]
    write(harness, 9, sport=harness.other_sport)

    outbox.mark_published(harness.conn, harness.sport, ids[1:2])

    assert [c.poll_id for c in outbox.load_unpublished_polls(harness.conn, harness.sport)] == [ids[0], *ids[2:]]


def test_unscored_polls_depend_on_the_scorer_and_not_on_the_clock(harness: StoreHarness) -> None:
    ids = [write(harness, second) for second in range(3)]
    other = write(harness, 1, sport=harness.other_sport)
    assert [poll.poll_id for poll in as_of.load_unscored_polls(harness.conn)] == [*ids, other]

    # time has passed beyond polls that are still to come
    alert_log.commit_scoring_step(harness.conn, harness.sport, ids[1], to_micros(at(60)), [], {})

    assert [poll.poll_id for poll in as_of.load_unscored_polls(harness.conn)] == [ids[2], other]
    assert as_of.load_backlog(harness.conn).polls == 2
    assert lookups.find_live_feed(harness.conn) == "simulate"


def test_last_polls_contain_what_poll_intervals_need(harness: StoreHarness) -> None:
    write(harness, 0, harness.quote(2.0))
    write(harness, 30, harness.quote(2.1), harness.quote(1.9, book=1), listed=harness.events)

    (make_poll,) = activity.load_last_polls(harness.conn).values()

    assert (make_poll.observed_at, make_poll.starts) == (at(30), (START,))
    assert make_poll.movement == pytest.approx(2 / 10 / 0.5)


def test_an_unread_time_is_infinitely_old(harness: StoreHarness) -> None:
    write(harness, 0, harness.quote(2.0))

    assert np.isinf(as_of.load_quotes_as_of(harness.conn, harness.events[0], at(1)).age_seconds).tolist() == [True]


def test_readers_leave_no_transaction_open(harness: StoreHarness, conn: Connection) -> None:
    write(harness, 0, harness.quote(2.0))
    as_of.load_last_quotes(conn, harness.sport)

    assert conn.info.transaction_status.name == "IDLE"
