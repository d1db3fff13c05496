"""Virtual hours of the simulated market through differ and scorer, in one process and without servers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from edge_assets.clock import micros
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from ml.quotes import Market, Outcome, PollChanges
from ml.scoring import Alert, ScoringRules, SportScorer
from serving.scorer.weights import book_weights
from tests.edge_assets.feeds.odds_api.memory import MemoryVocabulary

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.simulate.fixtures import Fixture
    from edge_assets.feeds.simulate.world import World


@dataclass(frozen=True)
class Bet:
    """An opened value alert with what the world knows of it."""

    alert: Alert
    event: Fixture
    book: str
    market: str
    outcome: str
    true_value: float
    profit: float


@dataclass
class Watch:
    """What came of watching one sport."""

    bets: list[Bet] = field(default_factory=list)
    arbitrages: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class Watcher:
    """Polls the world as the burst does, every `step`, and scores as the scorer does."""

    def __init__(self, world: World, sport: str, rules: ScoringRules) -> None:
        self.world = world
        self.sport = sport
        self.words = MemoryVocabulary()
        self.differ = PayloadDiffer(self.words, sport, self.words.sport(sport, sport))
        weights = book_weights({})
        self.scorer = SportScorer(rules, lambda book: weights.get(str(self.words.books.name(book)), 1.0))
        self.watch = Watch()

    def run(self, begins: datetime, hours: float, step: timedelta) -> Watch:
        """Watch for `hours`."""
        at = begins
        while at < begins + timedelta(hours=hours):
            self.poll(at)
            at += step
        return self.watch

    def poll(self, at: datetime) -> None:
        """Look once."""
        snapshot = self.world.snapshot(self.sport, at)
        assert snapshot is not None
        diff = self.differ.diff(msgspec.json.encode(snapshot.events), at)
        self.differ.commit()
        assert not diff.rejected
        now = micros(at)
        step = self.scorer.step(PollChanges(now, self.sport, now, now, "virtual", diff.quotes, diff.times, diff.starts))
        self.watch.suppressed += step.suppressed
        listed = {event.id: event for event in self.world.listed(self.sport, at)}
        for alert in step.alerts:
            if alert.state == "opened" and alert.key.kind == "arbitrage":
                self.watch.arbitrages.append(alert)
            elif alert.state == "opened":
                self.watch.bets.append(self._bet(alert, listed[str(self.words.events.name(alert.key.event))], at))

    def _bet(self, alert: Alert, event: Fixture, at: datetime) -> Bet:
        key, price = alert.key, alert.worth.price or 0.0
        market, outcome = Market(key.market).key, Outcome(key.outcome or 0).key
        chance = self.world.truth(event, market, outcome, key.point, at)
        won = self.world.settle(event, market, outcome, key.point)
        profit = 0.0 if won is None else won * price - 1
        return Bet(
            alert,
            event,
            str(self.words.books.name(key.book or 0)),
            market,
            outcome,
            chance.win * price + chance.push - 1,
            profit,
        )
