"""The simulated market: leagues without end, 24 books, and the truth behind the prices.

A pure function of (seed, time). It is served by the replay server as a tape without captures.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.replay.bodies import (
    Bookmaker,
    EventOdds,
    Market,
    Outcome,
    Score,
    Sport,
    TeamScore,
    stamp,
)
from edge_assets.feeds.replay.snapshots import ComposedSnapshot
from edge_assets.feeds.replay.tape import Neighbours
from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.feeds.simulate.fixtures import LISTED_FOR, PLAYED_FOR, SLOT, fixture
from edge_assets.feeds.simulate.leagues import LEAGUES
from edge_assets.feeds.simulate.model import Chance, outlook
from edge_assets.feeds.simulate.quoting import last_look, look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_assets.feeds.replay.tape import Capture
    from edge_assets.feeds.simulate.books import Book
    from edge_assets.feeds.simulate.faults import Fault
    from edge_assets.feeds.simulate.fixtures import Fixture, Result
    from edge_assets.feeds.simulate.quoting import Look, Quote

LAY_TICKS = 0.02
LAY_LIMIT = 500
SCORES_FOR = 3 * 86_400
LEFT_IN_PLAY = 4
"""Once play has begun only the quickest books and every third of the others keep their prices up."""


class Edge(NamedTuple):
    """A price and what it is truly worth: expected profit per unit of stake, pushes returned."""

    event: str
    book: str
    quote: Quote
    expected_value: float


class World:
    """Implements `edge_assets.feeds.replay.tape.Tape`, and knows the truth."""

    captures: Sequence[Capture] = ()

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._fixture = lru_cache(maxsize=2_048)(lambda league, slot: fixture(seed, league, slot))
        self._look = lru_cache(maxsize=16_384)(look)
        self._offer = lru_cache(maxsize=16_384)(self._wired)

    def sports(self) -> Sequence[Sport]:
        """The leagues, as `/sports` lists them."""
        return [Sport(x.key, x.group, x.title, "no real league", active=True, has_outrights=False) for x in LEAGUES]

    def snapshot(self, sport: str, at: datetime) -> ComposedSnapshot | None:
        """Everything on offer at a moment; None for a sport that is not played here."""
        fixtures = self.listed(sport, at)
        return ComposedSnapshot(at, [self._event(f, at.timestamp()) for f in fixtures]) if self._knows(sport) else None

    def neighbours(self, sport: str, at: datetime) -> Neighbours:  # noqa: ARG002 - the interface
        """None: a world without captures has a snapshot for every moment."""
        return Neighbours(None, None)

    def scores(self, sport: str, at: datetime) -> Sequence[Score]:
        """Results of the last three days, and the events that are listed."""
        now = at.timestamp()
        return [_score(f, now) for f in self._fixtures(sport, now - SCORES_FOR, now + LISTED_FOR)]

    def listed(self, sport: str, at: datetime) -> list[Fixture]:
        """The events that have prices, by start."""
        now = at.timestamp()
        return [f for f in self._fixtures(sport, now - PLAYED_FOR, now + LISTED_FOR) if f.listed_at <= now < f.ends]

    def truth(self, event: Fixture, market: str, outcome: str, point: float | None, at: datetime) -> Chance:
        """The chance of an outcome, given all that is known at `at`; `market` by its internal name.

        Meant for moments before the start: the result follows from what is known then, and what happens in play
        only moves prices.
        """
        view = outlook(event.knowledge(at.timestamp()), event.league)
        if market == "totals":
            over = view.total.above(point or 0.0)
            return over if outcome == "over" else _against(over)
        if market == "spreads":
            home = view.final.above(-(point or 0.0) if outcome == "home" else point or 0.0)
            return home if outcome == "home" else _against(home)
        home = (view.regulation if market == "h2h_3_way" else view.final).above(0)
        if outcome == "draw":
            return Chance(home.push, 0.0)
        return Chance(home.win if outcome == "home" else 1 - home.win - home.push, 0.0)

    def settle(self, event: Fixture, market: str, outcome: str, point: float | None) -> float | None:
        """Whether a bet has won (1.0) or lost (0.0); None if its stake is returned. Totals count regulation."""
        return _settled(event.result, market, outcome, point)

    def edges(self, sport: str, at: datetime) -> Iterator[Edge]:
        """Every price on offer with its true value."""
        for event in self.listed(sport, at):
            truth = cache(partial(self.truth, event))
            for number in _open_books(event, at.timestamp()):
                quotes = self._look(event, number, last_look(event, number, at.timestamp())).quotes
                kind = "h2h_3_way" if any(q.outcome == "draw" for q in quotes) else "h2h"
                for quote in quotes:
                    market = kind if quote.market == "h2h" else quote.market
                    chance = truth(market, quote.outcome, quote.point, at)
                    value = chance.win * quote.price + chance.push - 1
                    offered = quote if quote.market == market else quote._replace(market=market)
                    yield Edge(event.id, BOOKS[number].key, offered, value)

    def faults(self, sport: str, at: datetime) -> list[tuple[Fixture, Fault]]:
        """What is wrong at the moment."""
        now = at.timestamp()
        return [(e, f) for e in self.listed(sport, at) for f in e.faults if f.holds(now)]

    def _knows(self, sport: str) -> bool:
        return any(league.key == sport for league in LEAGUES)

    def _fixtures(self, sport: str, first: float, last: float) -> Iterator[Fixture]:
        """The events that start between two moments."""
        for league in LEAGUES:
            if league.key == sport:
                begin, end = int((first - league.offset) // SLOT), int((last - league.offset) // SLOT)
                yield from (self._fixture(league, slot) for slot in range(begin, end + 1))

    def _event(self, event: Fixture, now: float) -> EventOdds:
        offers = [self._offer(event, number, last_look(event, number, now)) for number in _open_books(event, now)]
        return EventOdds(
            event.id,
            event.league.key,
            event.league.title,
            stamp(event.starts()),
            event.home,
            event.away,
            bookmakers=[offer for offer in offers if offer],
        )

    def _wired(self, event: Fixture, number: int, seen: int) -> Bookmaker | None:
        shown = self._look(event, number, seen)
        return _bookmaker(event, BOOKS[number], shown) if shown.quotes else None


def _open_books(event: Fixture, now: float) -> Iterator[int]:
    for number in range(len(BOOKS)):
        if now < event.start or number < LEFT_IN_PLAY or (number + event.slot) % 3 == 0:
            yield number


def _against(chance: Chance) -> Chance:
    return Chance(1 - chance.win - chance.push, chance.push)


def _settled(result: Result, market: str, outcome: str, point: float | None) -> float | None:
    (rh, ra), (fh, fa) = result
    if market == "totals":
        gap = rh + ra - (point or 0.0)
        gap = gap if outcome == "over" else -gap
    elif market == "spreads":
        gap = (fh - fa if outcome == "home" else fa - fh) + (point or 0.0)
    else:
        home, away = (rh, ra) if market == "h2h_3_way" else (fh, fa)
        if outcome == "draw":
            return float(home == away)
        return float(home > away if outcome == "home" else away > home)
    return None if gap == 0 else float(gap > 0)


def _score(event: Fixture, now: float) -> Score:
    over = now >= event.ends
    points = zip((event.home, event.away), event.result.final, strict=True)
    return Score(
        event.id,
        event.league.key,
        event.league.title,
        stamp(event.starts()),
        over,
        event.home,
        event.away,
        sorted((TeamScore(name, str(n)) for name, n in points), key=lambda s: s.name) if over else None,
        stamp(datetime.fromtimestamp(event.ends, UTC)) if over else None,
    )


def _bookmaker(event: Fixture, book: Book, seen: Look) -> Bookmaker:
    """A book on the wire: outcomes by name, alphabetically, the draw last, as the real feed sends them."""
    at = stamp(datetime.fromtimestamp(seen.at, UTC))
    names = {"home": event.home, "away": event.away, "draw": "Draw", "over": "Over", "under": "Under"}
    markets = []
    for key in ("h2h", "spreads", "totals"):
        quotes = sorted(
            (q for q in seen.quotes if q.market == key), key=lambda q: (q.outcome == "draw", names[q.outcome])
        )
        if not quotes:
            continue
        markets.append(Market(key=key, last_update=at, outcomes=[_outcome(names[q.outcome], q, book) for q in quotes]))
        if key == "h2h" and book.kind == "exchange":
            lay = [q._replace(price=round(q.price + LAY_TICKS, 2)) for q in quotes]
            outcomes = [_outcome(names[q.outcome], q, book) for q in lay]
            markets.append(Market(key="h2h_lay", last_update=at, outcomes=outcomes))
    return Bookmaker(book.key, book.title, at, markets=markets)


def _outcome(name: str, quote: Quote, book: Book) -> Outcome:
    outcome = Outcome(name, quote.price) if quote.point is None else Outcome(name, quote.price, quote.point)
    return _limited(outcome) if book.kind == "exchange" else outcome


def _limited(outcome: Outcome) -> Outcome:
    return Outcome(outcome.name, outcome.price, outcome.point, bet_limit=LAY_LIMIT)
