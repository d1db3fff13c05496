"""Random seasons: whole payloads, moved starts and results, written as bursts and importers write them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from edge_assets.core.clock import to_micros
from edge_assets.reference.sources import Source
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.polls.writer import PollRecord, write_poll
from ml.quotes import EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch
from ml.settlement import GameReport, Score
from tests.support.poll_factories import NAN, NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    from psycopg import Connection

Selection: TypeAlias = "tuple[int, int, Market, Outcome, float]"
Offer: TypeAlias = "dict[Selection, float]"
"""Prices by event, book and selection; events and books count within the season."""
EVENTS, BOOKS = 6, ("pinnacle", "fanduel", "betmgm", "lowvig", "draftkings")
TEAMS = ("Bears", "Lions", "Rams", "Colts")
PRICES = (1.7, 1.8, 1.91, 2.0, 2.1, 2.25)
TWO_WAYS = [(Market.H2H, (Outcome.HOME, Outcome.AWAY), (NAN, NAN))]
SPREADS = [(Market.SPREADS, (Outcome.HOME, Outcome.AWAY), (-p, p)) for p in (3.5, 3.0)]
TOTALS = [(Market.TOTALS, (Outcome.OVER, Outcome.UNDER), (44.5, 44.5))]
THREE_WAYS = [(Market.H2H_3_WAY, (Outcome.HOME, Outcome.DRAW, Outcome.AWAY), (NAN, NAN, NAN))]
LINES = TWO_WAYS + SPREADS + TOTALS + THREE_WAYS
OFFERED, CHANGED, MOVED = 0.85, 0.4, 0.15


class Season:
    """One sport with `EVENTS` games, a random poll at a time; a game starts every ten hours."""

    def __init__(self, conn: Connection, number: int, rng: np.random.Generator) -> None:
        self._conn, self._number, self._rng = conn, number, rng
        self.key = f"americanfootball_{number}"
        with closing(IdRegistry.load(conn)) as ids:
            self.sport = ids.sport(self.key)
            self._books = [ids.book(key, key) for key in BOOKS]
        self._events: list[int] = []
        self._offer: Offer = {}
        self.now = NOON

    def watch(self, poll_list: int) -> None:
        """Store payloads as their changes; the first game may start between any two of them."""
        for _ in range(poll_list):
            self.now += timedelta(minutes=int(self._rng.integers(1, 540)))
            self._see(self._draw_offers())

    def report(self, source: Source, scores: Sequence[tuple[int, int]], known_at: datetime | None = None) -> None:
        """Scores of the first games, known three hours after their start by default."""
        moments = [known_at or self._start(e) + timedelta(hours=3) for e in range(len(scores))]
        write_results(
            self._conn,
            [
                StatedResult(self._events[e], source, moments[e], GameReport.final(Score(*score)))
                for e, score in enumerate(scores)
                if moments[e] <= self.now
            ],
        )

    def _see(self, offer: Offer) -> None:
        starts = [self._start(event) + self._delay() for event in range(EVENTS)]
        with closing(IdRegistry.load(self._conn)) as ids:
            self._events = [
                ids.event(f"{self._number}_{e}", self.sport, *self._teams(e), start, self.now)
                for e, start in enumerate(starts)
            ]
        changed = {k: p for k, p in offer.items() if self._offer.get(k) != p}
        changed |= dict.fromkeys(self._offer.keys() - offer.keys(), NAN)
        self._offer, at = offer, to_micros(self.now)
        confirmed = at - 10**6 * self._rng.integers(0, 900, len(BOOKS))
        stated = {(e, b, m): int(confirmed[b]) for e, b, m, *_ in offer}
        rows = ((self._events[e], self._books[b], m, o, p, price, 0) for (e, b, m, o, p), price in changed.items())
        write_poll(
            self._conn,
            PollRecord(self.sport, "simulate", "r", at, at, len(offer), EVENTS, 1.0, b"[]"),
            QuoteBatch.from_rows(rows),
            MarketConfirmations.from_rows((self._events[e], self._books[b], m, t) for (e, b, m), t in stated.items()),
            EventStarts.from_rows(zip(self._events, map(to_micros, starts), strict=True)),
        )

    def _draw_offers(self) -> Offer:
        """What is on offer at the next poll: most lines stay, some move, some come and go."""
        return {
            (key := (event, book, market, outcome, point)): self._price(key)
            for event in range(EVENTS)
            for book in range(len(BOOKS))
            for market, outcomes, points in LINES
            if self._rng.random() < OFFERED
            for outcome, point in zip(outcomes, points, strict=True)
        }

    def _price(self, key: Selection) -> float:
        stays = key in self._offer and self._rng.random() > CHANGED
        return self._offer[key] if stays else float(self._rng.choice(PRICES))

    def _delay(self) -> timedelta:
        return timedelta(minutes=int(self._rng.integers(-90, 1_500)) if self._rng.random() < MOVED else 0)

    def _start(self, event: int) -> datetime:
        return NOON + timedelta(hours=10 * (event + 1))

    def _teams(self, event: int) -> tuple[str, str]:
        return TEAMS[event % 4], TEAMS[(event + 1 + event // 4) % 4]
