"""Virtual hours of the simulated market through differ and scorer, in one process and without servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from edge_assets.core.clock import to_micros
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from edge_assets.reference.book_profiles import book_profile
from edge_assets.sandbox.simulator.books import BOOK_INDEX
from edge_assets.sandbox.simulator.quoting import active_faults, last_scrape_at, resolve_origin
from ml.points import point_models_for
from ml.quotes import Market, Outcome, PollChanges
from ml.scoring import Alert, ScoringRules, SportScorer
from tests.support.in_memory_ids import InMemoryIdResolver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from edge_assets.sandbox.simulator.faults import Fault
    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent
    from edge_assets.sandbox.simulator.market import SimulatedMarket
    from ml.scoring import AlertKey


class Price(NamedTuple):
    """What a value alert is about, by the feed's names."""

    event: str
    book: str
    market: str
    outcome: str
    point: float | None


@dataclass(frozen=True)
class Bet:
    """An opened alert on a price, with the truth that the simulated market knows."""

    alert: Alert
    event: SimulatedEvent
    price: Price
    true_value: float
    profit: float

    @property
    def at(self) -> float:
        """When it was opened, in seconds."""
        return self.alert.observed_at / 1e6

    def faults(self) -> list[Fault]:
        """What was wrong at the book, or at the one that it copies, when the feed saw this price."""
        return faults_behind(self.event, self.price.book, self.at)

    def since_news(self) -> float:
        """Seconds from the last news about the event to the alert."""
        known = self.event.states
        changes = [
            at
            for at, last, now in zip(self.event.state_times[1:].tolist(), known, known[1:], strict=False)
            if at <= self.at and last[:2] != now[:2]
        ]
        return self.at - max(changes, default=self.event.listed_at)


def faults_behind(event: SimulatedEvent, book: str, at: float) -> list[Fault]:
    """What is wrong with the prices that the feed shows of a book."""
    number = BOOK_INDEX[book]
    return active_faults(event, *resolve_origin(number, last_scrape_at(event, number, at)))


@dataclass
class Watch:
    """What came of watching one sport; `showing` are the open value alerts after each poll, `errors` what was alerted
    as a likely error.
    """

    showing: list[set[Price]] = field(default_factory=list)
    bets: list[Bet] = field(default_factory=list)
    errors: list[Bet] = field(default_factory=list)
    arbitrages: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class Watcher:
    """Polls the simulated market as a burst does, every `step`, and scores as the scorer does.

    `weights` overrides the shipped weights of single books.
    """

    def __init__(
        self,
        simulator: SimulatedMarket,
        sport: str,
        rules: ScoringRules,
        weights: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.simulator = simulator
        self.sport = sport
        self.ids = InMemoryIdResolver()
        self.differ = PayloadDiffer(self.ids, sport, self.ids.sport(sport, sport))
        self.scorer = SportScorer(
            rules, lambda book: book_profile(str(self.ids.books.name(book)), weights, sport), point_models_for(sport)
        )
        self.watch = Watch()

    def run(self, begins: datetime, hours: float, step: timedelta) -> Watch:
        """Watch for `hours`."""
        at = begins
        while at < begins + timedelta(hours=hours):
            self.poll(at)
            at += step
        return self.watch

    def poll(self, at: datetime) -> None:
        """Poll once."""
        snapshot = self.simulator.snapshot(self.sport, at)
        assert snapshot is not None
        diff = self.differ.diff(msgspec.json.encode(snapshot.events), at)
        self.differ.commit()
        assert not diff.rejected
        now = to_micros(at)
        step = self.scorer.apply_poll(
            PollChanges(now, self.sport, now, now, "virtual", diff.quotes, diff.times, diff.starts)
        )
        self.watch.suppressed += step.suppressed
        listed = {event.id: event for event in self.simulator.listed_events(self.sport, at)}
        for alert in step.alerts:
            if alert.state == "opened" and alert.key.kind == "arbitrage":
                self.watch.arbitrages.append(alert)
            elif alert.state == "opened" and not alert.metrics.legs:  # a likely error with legs is not a single bet
                reported = self.watch.bets if alert.key.kind == "value" else self.watch.errors
                reported.append(self._bet(alert, listed, at))
        self.watch.showing.append({self._price(key) for key in self.scorer.open_alerts if key.kind == "value"})

    def _price(self, key: AlertKey) -> Price:
        return Price(
            str(self.ids.events.name(key.event)),
            str(self.ids.books.name(key.book or 0)),
            Market(key.market).key,
            Outcome(key.outcome or 0).key,
            key.point,
        )

    def _bet(self, alert: Alert, listed: dict[str, SimulatedEvent], at: datetime) -> Bet:
        price, odds = self._price(alert.key), alert.metrics.price or 0.0
        event = listed[price.event]
        chance = self.simulator.true_probabilities(event, price.market, price.outcome, price.point, at)
        won = self.simulator.settle(event, price.market, price.outcome, price.point)
        profit = 0.0 if won is None else won * odds - 1
        return Bet(alert, event, price, chance.win * odds + chance.push - 1, profit)
