"""Random seasons: whole payloads, moved starts and results, written as bursts and importers write them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st

from edge_assets.clock import micros
from edge_assets.store.results import ResultSource, StatedResult, write_results
from edge_assets.store.vocabulary import Vocabulary
from edge_assets.store.writer import PollRecord, write_poll
from ml.quotes import EventStarts, Market, MarketTimes, Outcome, QuoteBatch
from ml.settlement import GameReport, Score
from tests.edge_assets.store.material import NAN, NOON

if TYPE_CHECKING:
    from psycopg import Connection

Offer: TypeAlias = "dict[tuple[int, int, Market, Outcome, float], float]"
EVENTS, BOOKS = 6, ("pinnacle", "fanduel", "betmgm", "lowvig", "draftkings")
TEAMS = ("Bears", "Lions", "Rams", "Colts")
SELECTIONS = [
    (Market.H2H, Outcome.HOME, NAN),
    (Market.H2H, Outcome.AWAY, NAN),
    (Market.SPREADS, Outcome.HOME, -3.5),
    (Market.SPREADS, Outcome.AWAY, 3.5),
    (Market.SPREADS, Outcome.HOME, -3.0),
    (Market.SPREADS, Outcome.AWAY, 3.0),
    (Market.TOTALS, Outcome.OVER, 44.5),
    (Market.TOTALS, Outcome.UNDER, 44.5),
]
KEYS = st.tuples(st.integers(0, EVENTS - 1), st.integers(0, len(BOOKS) - 1), st.sampled_from(SELECTIONS))
OFFERS = st.dictionaries(KEYS.map(lambda k: (k[0], k[1], *k[2])), st.sampled_from([1.8, 1.91, 2.0, 2.1]), min_size=60)
MOVES = st.dictionaries(st.integers(0, EVENTS - 1), st.integers(-90, 1_500).map(lambda m: timedelta(minutes=m)))
SCORES = st.tuples(st.integers(0, 3), st.integers(0, 3))
numbers = count()


@dataclass(frozen=True, slots=True)
class Look:
    """A payload: after which time, what was on offer, how old the confirmations were, which starts had moved."""

    gap: timedelta
    offer: Offer
    ages_seconds: list[int]
    moved: dict[int, timedelta]


LOOKS = st.builds(
    Look,
    st.timedeltas(timedelta(minutes=1), timedelta(hours=9)),
    OFFERS,
    st.lists(st.integers(0, 900), min_size=len(BOOKS), max_size=len(BOOKS)),
    MOVES,
)


class Season:
    """One sport with `EVENTS` games, a look at a time; a game starts every ten hours."""

    def __init__(self, conn: Connection) -> None:
        self._conn, self._number = conn, next(numbers)
        with closing(Vocabulary.load(conn)) as words:
            self.sport = words.sport(f"americanfootball_{self._number}")
            self._books = [words.book(key, key) for key in BOOKS]
        self._events: list[int] = []
        self._before: Offer = {}
        self.now = NOON

    def see(self, look: Look) -> None:
        """Store a payload as its changes."""
        self.now += look.gap
        starts = [self._start(event) + look.moved.get(event, timedelta()) for event in range(EVENTS)]
        with closing(Vocabulary.load(self._conn)) as words:
            self._events = [
                words.event(f"{self._number}_{e}", self.sport, *self._teams(e), start, self.now)
                for e, start in enumerate(starts)
            ]
        changed = {k: p for k, p in look.offer.items() if self._before.get(k) != p}
        changed |= dict.fromkeys(self._before.keys() - look.offer.keys(), NAN)
        self._before = look.offer
        stated = {(e, b, m): micros(self.now) - 10**6 * look.ages_seconds[b] for e, b, m, *_ in look.offer}
        rows = ((self._events[e], self._books[b], m, o, p, price, 0) for (e, b, m, o, p), price in changed.items())
        at = micros(self.now)
        write_poll(
            self._conn,
            PollRecord(self.sport, "simulate", "r", at, at, len(look.offer), EVENTS, 1.0, b"[]"),
            QuoteBatch.of(rows),
            MarketTimes.of((self._events[e], self._books[b], m, t) for (e, b, m), t in stated.items()),
            EventStarts.of(zip(self._events, map(micros, starts), strict=True)),
        )

    def report(self, source: ResultSource, scores: list[tuple[int, int]], known_at: datetime | None = None) -> None:
        """Scores of the first games, known three hours after their start if nothing else is said."""
        stated = [
            StatedResult(
                self._events[e],
                source,
                known_at or self._start(e) + timedelta(hours=3),
                GameReport.final(Score(*score)),
            )
            for e, score in enumerate(scores)
            if (known_at or self._start(e) + timedelta(hours=3)) <= self.now
        ]
        write_results(self._conn, stated)

    def _start(self, event: int) -> datetime:
        return NOON + timedelta(hours=10 * (event + 1))

    def _teams(self, event: int) -> tuple[str, str]:
        return TEAMS[event % 4], TEAMS[(event + 1 + event // 4) % 4]
