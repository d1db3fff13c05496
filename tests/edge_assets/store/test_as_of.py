"""The as-of read against a model that keeps every payload whole and searches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.core.clock import to_micros
from edge_assets.store.polls import as_of
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import write_poll
from ml.quotes import UNKNOWN_TIME, EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch
from tests.support.poll_factories import NAN, NOON, START, StoreHarness, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Offer: TypeAlias = "Mapping[tuple[int, int, Market, Outcome, float | None], float]"
Times: TypeAlias = "Mapping[tuple[int, int, Market], int]"
SELECTIONS = st.sampled_from(
    [
        (Market.H2H, Outcome.HOME, None),
        (Market.H2H, Outcome.AWAY, None),
        (Market.TOTALS, Outcome.OVER, 44.5),
        (Market.TOTALS, Outcome.OVER, 45.5),
        (Market.SPREADS, Outcome.HOME, 0.0),
        (Market.SPREADS, Outcome.HOME, -3.25),
    ]
)
KEYS = st.tuples(st.integers(0, 1), st.integers(0, 2), SELECTIONS).map(lambda k: (k[0], k[1], *k[2]))
# few prices, so that many repeat; a poll a second later or a day later
OFFERS = st.dictionaries(KEYS, st.sampled_from([1.5, 2.0, 2.1]), max_size=8)
GAPS = st.timedeltas(timedelta(seconds=1), timedelta(hours=20))
CONFIRMATIONS = st.one_of(st.just(UNKNOWN_TIME), st.integers(0, 10**9).map(lambda age: to_micros(NOON) - age))
numbers = count()


@dataclass(frozen=True, slots=True)
class ObservedPoll:
    """A payload as the model keeps it: all that was on offer, and when each market was last confirmed."""

    at: datetime
    offer: Offer
    times: Times


@dataclass(slots=True)
class Model:
    """A sport with two events of its own, in the store as changes and here as whole payloads."""

    harness: StoreHarness
    sport: int
    events: list[int]
    looks: list[ObservedPoll] = field(default_factory=list)

    @classmethod
    def create(cls, harness: StoreHarness) -> Model:
        words = IdRegistry(harness.conn)
        n = next(numbers)
        sport = words.sport(f"sport_{n}")
        events = [words.event(f"{n}_{i}", sport, "Home", "Away", START, NOON) for i in range(2)]
        return cls(harness, sport, events)

    def see(self, poll: ObservedPoll) -> None:
        before = self.looks[-1].offer if self.looks else {}
        changed = {k: p for k, p in poll.offer.items() if before.get(k) != p} | dict.fromkeys(
            before.keys() - poll.offer.keys(), NAN
        )
        write_poll(
            self.harness.conn,
            self.harness.record(poll.at, self.sport),
            QuoteBatch.from_rows(self._row(key, price, poll.times) for key, price in changed.items()),
            MarketConfirmations.from_rows(
                (self.events[e], self.harness.books[b], m, t) for (e, b, m), t in poll.times.items()
            ),
            EventStarts.from_rows((event, to_micros(START)) for event in self.events),
        )
        self.looks.append(poll)

    def as_of(self, event: int, at: datetime) -> Iterator[tuple[QuoteBatch, float]]:
        """Each quote on offer, alone in a batch, and its age."""
        seen = [poll for poll in self.looks if poll.at <= at]
        for key, price in seen[-1].offer.items() if seen else ():
            if key[0] == event:
                confirmed = seen[-1].times[key[:3]]
                age = float("inf") if confirmed == UNKNOWN_TIME else (to_micros(at) - confirmed) / 1e6
                yield QuoteBatch.from_rows([self._row(key, price, seen[-1].times)]), age

    def _row(
        self, key: tuple[int, int, Market, Outcome, float | None], price: float, times: Times
    ) -> tuple[int, int, int, int, float, float, int]:
        event, book, market, outcome, point = key
        confirmed = times.get(key[:3], UNKNOWN_TIME)
        return (
            self.events[event],
            self.harness.books[book],
            market,
            outcome,
            NAN if point is None else point,
            price,
            confirmed,
        )

    def check(self, at: datetime) -> None:
        """The store and the model agree on both events."""
        for event, event_id in enumerate(self.events):
            found = as_of.load_quotes_as_of(self.harness.conn, event_id, at)
            expected = list(self.as_of(event, at))
            assert facts(found) == sorted(((rows(quote)[0][:6], age) for quote, age in expected), key=repr)


def facts(found: as_of.QuotesAsOf) -> list[tuple[tuple[object, ...], float]]:
    """Each quote without its own book time (that of its last change), and its age."""
    singles = (found.quotes.take(np.array([i])) for i in range(len(found.quotes)))
    return sorted(((rows(q)[0][:6], age) for q, age in zip(singles, found.age_seconds.tolist(), strict=True)), key=repr)


@st.composite
def poll_sequences(draw: st.DrawFn) -> list[ObservedPoll]:
    """Payloads, each seconds to hours after the one before."""
    at, looks = NOON, list[ObservedPoll]()
    for offer in draw(st.lists(OFFERS, min_size=1, max_size=6)):
        at += draw(GAPS)
        times = {key[:3]: draw(CONFIRMATIONS) for key in offer}
        looks.append(ObservedPoll(at, offer, times))
    return looks


@given(poll_sequence=poll_sequences(), data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_of_any_time_quotes_match_the_payloads_until_then(
    harness: StoreHarness, poll_sequence: list[ObservedPoll], data: st.DataObject
) -> None:
    model = Model.create(harness)
    moments = [NOON, *(poll.at for poll in poll_sequence), poll_sequence[-1].at + timedelta(days=40)]
    moments += data.draw(st.lists(st.datetimes(*naive(NOON, moments[-1])).map(utc), max_size=3))
    for poll in poll_sequence:
        model.see(poll)
        model.check(poll.at)
    for at in moments:
        # what came later changes nothing: after each payload and after all of them the answer is the same
        model.check(at)


def naive(*moments: datetime) -> list[datetime]:
    return [at.replace(tzinfo=None) for at in moments]


def utc(at: datetime) -> datetime:
    return at.replace(tzinfo=NOON.tzinfo)


def test_later_polls_change_nothing(harness: StoreHarness) -> None:
    harness.write(NOON, QuoteBatch.from_rows([harness.quote(2.0, book_time=to_micros(NOON) - 3_000_000)]))
    before = facts(as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + timedelta(seconds=1)))
    times = [(harness.events[0], harness.books[0], Market.H2H, to_micros(NOON))]
    harness.write(NOON + timedelta(seconds=2), QuoteBatch.from_rows([harness.quote(3.0)]), times)
    harness.write(NOON + timedelta(seconds=3), QuoteBatch.from_rows([harness.quote(NAN)]))

    assert facts(as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + timedelta(seconds=1))) == before
    assert [age for _, age in before] == [4.0]


def test_a_confirmation_makes_a_price_young_again(harness: StoreHarness) -> None:
    stated = to_micros(NOON)
    harness.write(
        NOON, QuoteBatch.from_rows([harness.quote(2.0, book_time=stated), harness.quote(1.9, book=1, book_time=stated)])
    )
    confirmed = [(harness.events[0], harness.books[0], Market.H2H, stated + 50_000_000)]
    harness.write(NOON + timedelta(seconds=60), QuoteBatch.empty(), confirmed)

    found = as_of.load_quotes_as_of(harness.conn, harness.events[0], NOON + timedelta(seconds=60))

    assert dict(zip(found.quotes.book.tolist(), found.age_seconds.tolist(), strict=True)) == {
        harness.books[0]: 10.0,
        harness.books[1]: 60.0,
    }


@pytest.mark.parametrize("event", [0, 12_345])
def test_nothing_is_on_offer_before_the_first_poll_and_on_unknown_events(harness: StoreHarness, event: int) -> None:
    event_id = harness.events[0] if event == 0 else event

    found = as_of.load_quotes_as_of(harness.conn, event_id, NOON)

    assert len(found.quotes) == len(found.poll_ids) == len(found.age_seconds) == 0
