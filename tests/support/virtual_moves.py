"""Virtual hours of the simulated market through differ and watch, in one process and without servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.core.clock import to_micros
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.sandbox.simulator.books import BOOKS
from ml.movement import MovementDetector, MovementRules
from ml.quotes import Market, PollChanges
from tests.support.in_memory_ids import InMemoryIdResolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.sandbox.simulator.market import SimulatedMarket
    from ml.movement import Movement

BEGINS = datetime(2026, 1, 10, 12, tzinfo=UTC)
STEP = timedelta(seconds=10)
RULES = MovementRules(log_odds_per_point={Market.SPREADS: 0.12, Market.TOTALS: 0.12})


class Hours:
    """A sport of the simulated market, polled as a burst does."""

    def __init__(self, simulator: SimulatedMarket, sport: str, rules: MovementRules = RULES) -> None:
        self.simulator, self.sport = simulator, sport
        self.ids = InMemoryIdResolver()
        number = {book.key: self.ids.book(book.key, book.title) for book in BOOKS}
        self.book = {v: k for k, v in number.items()}
        self.watch = MovementDetector(rules, {number[b.key]: number[b.copied_book] for b in BOOKS if b.copied_book})
        self._differ = PayloadDiffer(self.ids, sport, self.ids.sport(sport, sport))

    def polls(self, hours: float) -> Iterator[tuple[datetime, PollChanges]]:
        """What each poll changed."""
        for i in range(int(hours * 3_600 / STEP.total_seconds())):
            at = BEGINS + i * STEP
            snapshot = self.simulator.snapshot(self.sport, at)
            assert snapshot is not None
            diff = self._differ.diff(msgspec.json.encode(snapshot.events), at)
            self._differ.commit()
            now = to_micros(at)
            yield at, PollChanges(now, self.sport, now, now, "virtual", diff.quotes, diff.times, diff.starts)

    def run(self, hours: float) -> list[tuple[datetime, Movement]]:
        """Every movement with its time."""
        return [(at, movement) for at, changes in self.polls(hours) for movement in self.watch.apply_poll(changes)]

    def event(self, movement: Movement) -> str:
        """The feed's key of the event."""
        return str(self.ids.events.name(movement.event))
