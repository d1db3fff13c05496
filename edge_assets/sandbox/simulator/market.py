"""The simulated market: endless leagues, 24 books, and the true probabilities behind the prices.

A pure function of (seed, time), served by the sandbox server as a source without captures.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.recordings.snapshots import ComposedSnapshot
from edge_assets.feeds.recordings.source import Neighbours
from edge_assets.feeds.recordings.wire import (
    RawBookmaker,
    RawEventOdds,
    RawMarket,
    RawOutcome,
    RawScore,
    RawSport,
    RawTeamScore,
    format_time,
)
from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.fixtures import LISTED_SECONDS, PLAY_SECONDS, SLOT_SECONDS, simulate_event
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.model import BetProbabilities, compute_distributions
from edge_assets.sandbox.simulator.quoting import last_scrape_at, scrape_book

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_assets.feeds.recordings.source import Capture
    from edge_assets.sandbox.simulator.books import SimulatedBook
    from edge_assets.sandbox.simulator.faults import Fault
    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent, SimulatedResult
    from edge_assets.sandbox.simulator.quoting import Scrape, SimulatedQuote

LAY_PRICE_STEP = 0.02
LAY_BET_LIMIT = 500
SCORES_SECONDS = 3 * 86_400
IN_PLAY_BOOK_COUNT = 4
"""In play only the quickest books and every third of the others keep offering prices."""


class TrueValue(NamedTuple):
    """A price and its true expected profit per unit staked, with pushes returned."""

    event: str
    book: str
    quote: SimulatedQuote
    expected_value: float


class SimulatedMarket:
    """Implements `edge_assets.feeds.recordings.source.SnapshotSource`, and knows the true probabilities."""

    captures: Sequence[Capture] = ()

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._simulate_event = lru_cache(maxsize=2_048)(lambda league, slot: simulate_event(seed, league, slot))
        self._scrape = lru_cache(maxsize=16_384)(scrape_book)
        self._cached_bookmaker = lru_cache(maxsize=16_384)(self._to_wire_bookmaker)

    def sports(self) -> Sequence[RawSport]:
        """The leagues, as `/sports` lists them."""
        return [RawSport(x.key, x.group, x.title, "no real league", active=True, has_outrights=False) for x in LEAGUES]

    def snapshot(self, sport: str, at: datetime) -> ComposedSnapshot | None:
        """All odds on offer at a time; None for an unknown sport."""
        fixtures = self.listed_events(sport, at)
        return (
            ComposedSnapshot(at, [self._to_wire_event(f, at.timestamp()) for f in fixtures])
            if self._has_sport(sport)
            else None
        )

    def neighbours(self, sport: str, at: datetime) -> Neighbours:  # noqa: ARG002 - the interface
        """None on both sides: there is a snapshot for every moment."""
        return Neighbours(None, None)

    def scores(self, sport: str, at: datetime) -> Sequence[RawScore]:
        """Results of the last three days, and the listed events."""
        now = at.timestamp()
        return [_wire_score(f, now) for f in self._events_between(sport, now - SCORES_SECONDS, now + LISTED_SECONDS)]

    def listed_events(self, sport: str, at: datetime) -> list[SimulatedEvent]:
        """The events with prices, by start."""
        now = at.timestamp()
        return [
            f
            for f in self._events_between(sport, now - PLAY_SECONDS, now + LISTED_SECONDS)
            if f.listed_at <= now < f.ends_at
        ]

    def true_probabilities(
        self, event: SimulatedEvent, market: str, outcome: str, point: float | None, at: datetime
    ) -> BetProbabilities:
        """The true probabilities of an outcome given the news at `at`; `market` by its internal name.

        For times before the start: the result is drawn from the state at the start, and changes in play only move
        prices.
        """
        distributions = compute_distributions(event.state_at(at.timestamp()), event.league)
        if market == "totals":
            over = distributions.total.probability_above(point or 0.0)
            return over if outcome == "over" else _opposite(over)
        if market == "spreads":
            home = distributions.final.probability_above(-(point or 0.0) if outcome == "home" else point or 0.0)
            return home if outcome == "home" else _opposite(home)
        home = (distributions.regulation if market == "h2h_3_way" else distributions.final).probability_above(0)
        if outcome == "draw":
            return BetProbabilities(home.push, 0.0)
        return BetProbabilities(home.win if outcome == "home" else 1 - home.win - home.push, 0.0)

    def settle(self, event: SimulatedEvent, market: str, outcome: str, point: float | None) -> float | None:
        """Settle a bet: won (1.0), lost (0.0), or None for a push. Totals count regulation."""
        return _settle_bet(event.result, market, outcome, point)

    def true_values(self, sport: str, at: datetime) -> Iterator[TrueValue]:
        """Yield every price on offer with its true expected value."""
        for event in self.listed_events(sport, at):
            probabilities = cache(partial(self.true_probabilities, event))
            for number in _open_books(event, at.timestamp()):
                quotes = self._scrape(event, number, last_scrape_at(event, number, at.timestamp())).quotes
                kind = "h2h_3_way" if any(q.outcome == "draw" for q in quotes) else "h2h"
                for quote in quotes:
                    market = kind if quote.market == "h2h" else quote.market
                    chance = probabilities(market, quote.outcome, quote.point, at)
                    value = chance.win * quote.price + chance.push - 1
                    offered = quote if quote.market == market else quote._replace(market=market)
                    yield TrueValue(event.id, BOOKS[number].key, offered, value)

    def active_faults(self, sport: str, at: datetime) -> list[tuple[SimulatedEvent, Fault]]:
        """The faults active at a time."""
        now = at.timestamp()
        return [(e, f) for e in self.listed_events(sport, at) for f in e.faults if f.is_active(now)]

    def _has_sport(self, sport: str) -> bool:
        return any(league.key == sport for league in LEAGUES)

    def _events_between(self, sport: str, first: float, last: float) -> Iterator[SimulatedEvent]:
        """Yield the events that start between two times."""
        for league in LEAGUES:
            if league.key == sport:
                begin, end = (
                    int((first - league.offset_seconds) // SLOT_SECONDS),
                    int((last - league.offset_seconds) // SLOT_SECONDS),
                )
                yield from (self._simulate_event(league, slot) for slot in range(begin, end + 1))

    def _to_wire_event(self, event: SimulatedEvent, now: float) -> RawEventOdds:
        offers = [
            self._cached_bookmaker(event, number, last_scrape_at(event, number, now))
            for number in _open_books(event, now)
        ]
        return RawEventOdds(
            event.id,
            event.league.key,
            event.league.title,
            format_time(event.start_datetime()),
            event.home,
            event.away,
            bookmakers=[offer for offer in offers if offer],
        )

    def _to_wire_bookmaker(self, event: SimulatedEvent, number: int, seen: int) -> RawBookmaker | None:
        scrape = self._scrape(event, number, seen)
        return _wire_bookmaker(event, BOOKS[number], scrape) if scrape.quotes else None


def _open_books(event: SimulatedEvent, now: float) -> Iterator[int]:
    for number in range(len(BOOKS)):
        if now < event.start or number < IN_PLAY_BOOK_COUNT or (number + event.slot) % 3 == 0:
            yield number


def _opposite(chance: BetProbabilities) -> BetProbabilities:
    return BetProbabilities(1 - chance.win - chance.push, chance.push)


def _settle_bet(result: SimulatedResult, market: str, outcome: str, point: float | None) -> float | None:
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


def _wire_score(event: SimulatedEvent, now: float) -> RawScore:
    over = now >= event.ends_at
    points = zip((event.home, event.away), event.result.final, strict=True)
    return RawScore(
        event.id,
        event.league.key,
        event.league.title,
        format_time(event.start_datetime()),
        over,
        event.home,
        event.away,
        sorted((RawTeamScore(name, str(n)) for name, n in points), key=lambda s: s.name) if over else None,
        format_time(datetime.fromtimestamp(event.ends_at, UTC)) if over else None,
    )


def _wire_bookmaker(event: SimulatedEvent, book: SimulatedBook, scrape: Scrape) -> RawBookmaker:
    """A book on the wire; outcomes are sorted by name, the draw last, as the real feed sends them."""
    at = format_time(datetime.fromtimestamp(scrape.at, UTC))
    names = {"home": event.home, "away": event.away, "draw": "Draw", "over": "Over", "under": "Under"}
    markets = []
    for key in ("h2h", "spreads", "totals"):
        quotes = sorted(
            (q for q in scrape.quotes if q.market == key), key=lambda q: (q.outcome == "draw", names[q.outcome])
        )
        if not quotes:
            continue
        markets.append(
            RawMarket(key=key, last_update=at, outcomes=[_wire_outcome(names[q.outcome], q, book) for q in quotes])
        )
        if key == "h2h" and book.kind == "exchange":
            lay = [q._replace(price=round(q.price + LAY_PRICE_STEP, 2)) for q in quotes]
            outcomes = [_wire_outcome(names[q.outcome], q, book) for q in lay]
            markets.append(RawMarket(key="h2h_lay", last_update=at, outcomes=outcomes))
    return RawBookmaker(book.key, book.title, at, markets=markets)


def _wire_outcome(name: str, quote: SimulatedQuote, book: SimulatedBook) -> RawOutcome:
    outcome = RawOutcome(name, quote.price) if quote.point is None else RawOutcome(name, quote.price, quote.point)
    return _with_bet_limit(outcome) if book.kind == "exchange" else outcome


def _with_bet_limit(outcome: RawOutcome) -> RawOutcome:
    return RawOutcome(outcome.name, outcome.price, outcome.point, bet_limit=LAY_BET_LIMIT)
