"""Where the truth is known: news make steam, the quick lead, the copies follow, and what stands still is named."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.market import SimulatedMarket
from ml.movement import LeadLag, Movement, MovementKind
from ml.quotes import Market
from tests.support.virtual_moves import BEGINS, STEP, Hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent

pytestmark = pytest.mark.untraced
SPORT = "basketball_nba"
BY_KEY = {book.key: book for book in BOOKS}
HOURS = 0.75
SLOWEST = timedelta(seconds=180)
"""By then the slowest book has received the news."""
CLEAR_NEWS = 0.6
"""Points of margin; some .07 in log-odds."""
FREEZE_SEEN_AFTER = 180


class Watched:
    def __init__(self) -> None:
        self.simulator = SimulatedMarket(seed=7)
        self.hours = Hours(self.simulator, SPORT)
        self.movements = self.hours.run(HOURS)

    def of(self, kind: MovementKind) -> list[tuple[datetime, Movement]]:
        return [(at, m) for at, m in self.movements if m.kind is kind]

    def fixture(self, at: datetime, movement: Movement) -> SimulatedEvent:
        return next(e for e in self.simulator.listed_events(SPORT, at) if e.id == self.hours.event(movement))

    def news(self, at: datetime, movement: Movement) -> float:
        """How far the truth has moved since the slowest book's last knowledge, towards the first outcome."""
        event = self.fixture(at, movement)
        old, new = (event.state_at(t.timestamp()) for t in (at - SLOWEST, at))
        if movement.market == Market.TOTALS:
            return (new.home + new.away) - (old.home + old.away)
        return (new.home - new.away) - (old.home - old.away)

    def book(self, movement: Movement) -> str:
        assert movement.book is not None
        return self.hours.book[movement.book]

    def order(self) -> tuple[LeadLag, dict[str, int]]:
        order = self.hours.watch.lead_lag()
        return order, {self.hours.book[b]: i for i, b in enumerate(order.books)}


@pytest.fixture(scope="module")
def watched_market() -> Watched:
    return Watched()


def test_steam_is_news(watched_market: Watched, record_property: Callable[[str, object], None]) -> None:
    steams = watched_market.of(MovementKind.STEAM)
    right = [np.sign(watched_market.news(at, m)) == m.direction for at, m in steams]
    record_property("precision", float(np.mean(right)))
    assert len(steams) > 20
    assert np.mean(right) > 0.9


def test_clear_news_make_steam(watched_market: Watched, record_property: Callable[[str, object], None]) -> None:
    seen = defaultdict[tuple[str, int], list[datetime]](list)
    for at, m in watched_market.of(MovementKind.STEAM):
        seen[watched_market.hours.event(m), m.direction].append(at)
    found = [
        any(at <= t <= at + SLOWEST for t in seen[event, way])
        for event, at, way in clear_news(watched_market.simulator)
    ]
    record_property("recall", float(np.mean(found)))
    assert len(found) >= 8
    assert np.mean(found) > 0.8


def clear_news(simulator: SimulatedMarket) -> list[tuple[str, datetime, int]]:
    """(event, moment, direction) of large single news about the margin, away from the ends of the watch."""
    ends, found = BEGINS + timedelta(hours=HOURS) - SLOWEST, []
    for event in {
        e.id: e for i in range(4) for e in simulator.listed_events(SPORT, BEGINS + i * timedelta(minutes=11))
    }.values():
        margin = np.array([k.home - k.away for k in event.states])
        for news_at, by in zip(event.state_times[1:].tolist(), np.diff(margin).tolist(), strict=True):
            at = datetime.fromtimestamp(news_at, BEGINS.tzinfo)
            listed = event.listed_at + 60 < news_at < event.start - SLOWEST.total_seconds()
            if abs(by) > CLEAR_NEWS and listed and BEGINS + 2 * STEP < at < ends:
                found.append((event.id, at, int(np.sign(by))))
    return found


def test_sharp_books_lead(watched_market: Watched) -> None:
    order, at = watched_market.order()
    lead = {key: order.lead_share()[i] for key, i in at.items()}
    sharp = [lead[b.key] for b in BOOKS if b.kind == "sharp"]
    slow = [lead[b.key] for b in BOOKS if b.kind == "soft" and b.lag_seconds >= 20]
    assert min(sharp) > 0.6
    assert max(slow) < 0.5
    lag = np.array([BY_KEY[key].lag_seconds for key in lead if not BY_KEY[key].copied_book])
    ranks = np.array([v for key, v in lead.items() if not BY_KEY[key].copied_book]).argsort().argsort()
    assert np.corrcoef(lag.argsort().argsort(), ranks)[0, 1] < -0.8


def test_a_clone_follows_what_it_copies(watched_market: Watched) -> None:
    order, at = watched_market.order()
    asymmetry, followed, lead = order.asymmetry(), order.followed_share(), order.lead_share()
    for clone in (b for b in BOOKS if b.copied_book):
        copy, original = at[clone.key], at[str(clone.copied_book)]
        assert asymmetry[original, copy] > 5
        assert followed[original, copy] > 0.9
        assert lead[copy] < lead[original]
        assert order.lag_seconds[original, copy] == pytest.approx(clone.lag_seconds, abs=10)
        softs = [at[b.key] for b in BOOKS if b.kind == "soft" and b.key != clone.copied_book]
        assert followed[original, copy] > max(followed[soft, copy] for soft in softs)


def test_who_lags_has_news_to_come(watched_market: Watched) -> None:
    lagging = watched_market.of(MovementKind.LAGGING)
    right = [np.sign(watched_market.news(at, m)) == m.direction for at, m in lagging]
    assert len(lagging) > 50
    assert np.mean(right) > 0.9


def test_frozen_and_suspended_books_are_named(watched_market: Watched) -> None:
    for kind, fault in ((MovementKind.STALE, "stale"), (MovementKind.HALTED, "suspended")):
        reported = {(watched_market.hours.event(m), watched_market.book(m)) for _, m in watched_market.of(kind)}
        wrong, lasting = faults(watched_market.simulator, fault)
        assert lasting
        assert lasting <= reported <= wrong


def faults(simulator: SimulatedMarket, kind: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(event, book) with a fault, and those whose fault lasts, within the watch, long enough to be seen."""
    begins, ends = BEGINS.timestamp() + 60, BEGINS.timestamp() + HOURS * 3_600 - FREEZE_SEEN_AFTER
    every, lasting = set(), set()
    for event in {
        e.id: e for i in range(5) for e in simulator.listed_events(SPORT, BEGINS + i * timedelta(minutes=11))
    }.values():
        for fault in (f for f in event.faults if f.kind == kind):
            pair = event.id, BOOKS[fault.book].key
            every.add(pair)
            started = max(fault.begins, event.listed_at + 60)
            if (
                begins < started < min(ends, event.start - FREEZE_SEEN_AFTER)
                and fault.ends > started + FREEZE_SEEN_AFTER
            ):
                lasting.add(pair)
            if kind == "suspended" and begins < started < min(ends, event.start - 120) and fault.ends > started + 60:
                lasting.add(pair)
    return every, lasting
