"""Simulated books differ like real ones: in margin, in speed, and in being clones."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.fixtures import ERROR_EPOCH_SECONDS, STATE_STEP_SECONDS, SimulatedEvent
from edge_assets.sandbox.simulator.quoting import last_scrape_at
from tests.support.simulated_markets import QUICK, SLOW, fixtures, is_sound, quotes_at, quotes_without_faults, utc_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.sandbox.simulator.market import SimulatedMarket
    from edge_assets.sandbox.simulator.quoting import SimulatedQuote

SHARP = [i for i, book in enumerate(BOOKS) if book.kind == "sharp"]
EXCHANGES = [i for i, book in enumerate(BOOKS) if book.kind == "exchange"]
CLONES = [i for i, book in enumerate(BOOKS) if book.kind == "clone"]
REACTION_SECONDS = 150
"""The slowest book's reaction: its lag and the interval at which the feed reads it."""
QUIET_SECONDS = 40
"""Nothing else may happen for so long before the news: the feed's prices may be as old."""


def overrounds(number: int, market: str) -> list[float]:
    """The overrounds of a book's two-way prices on 80 events, an hour before the start."""
    found = []
    for league in (0, 1):
        for event in fixtures(11, 40, league):
            at = event.start - 3_600
            prices = [q.price for (m, _), q in quotes_at(event, number, at).items() if m == market]
            if prices and is_sound(event, number, at):
                found.append(sum(1 / p for p in prices) - 1)
    return found


@pytest.mark.parametrize("market", ["h2h", "spreads", "totals"])
@pytest.mark.parametrize(
    ("books", "low", "high"), [(SHARP, 0.015, 0.04), (EXCHANGES, 0.003, 0.02), (QUICK + SLOW, 0.03, 0.09)]
)
def test_margins_by_kind_of_book(books: list[int], low: float, high: float, market: str) -> None:
    for number in books:
        found = overrounds(number, market)
        assert len(found) > 40
        assert low < np.mean(found) < high
        assert np.mean(found) == pytest.approx(BOOKS[number].margin, abs=0.008)
        assert min(found) > -0.005


def test_an_evenly_spread_margin_makes_longshots_more_expensive(simulator: SimulatedMarket) -> None:
    loaded = {book.has_longshot_bias: loading(simulator, i) for i, book in enumerate(BOOKS) if book.margin == 0.05}
    assert loaded[False] == pytest.approx(0, abs=0.02)
    assert loaded[True] > 0.05


def loading(simulator: SimulatedMarket, number: int) -> float:
    """The relative margin of a clear underdog minus that of the favourite, averaged over events."""
    extra = []
    for event in fixtures(11, 200, 0):
        at = event.start - 60
        quotes = [q for (m, _), q in quotes_without_faults(event, number, at).items() if m == "h2h"]
        favourite, underdog = sorted(quotes, key=lambda q: q.price)
        paid = [
            1
            / q.price
            / simulator.true_probabilities(event, "h2h", q.outcome, None, utc_time(at - BOOKS[number].lag_seconds)).win
            for q in (favourite, underdog)
        ]
        if underdog.price > 3:
            extra.append(paid[1] - paid[0])
    assert len(extra) > 20
    return float(np.mean(extra))


def test_american_books_quote_in_american_steps() -> None:
    for event in fixtures(11, 30, 1):
        for number, book in enumerate(BOOKS):
            if not is_sound(event, number, event.start - 3_600):
                continue
            for quote in quotes_at(event, number, event.start - 3_600).values():
                american = (quote.price - 1) * 100 if quote.price >= 2 else -100 / (quote.price - 1)
                steps = american / 5 if book.is_american else quote.price * 100
                assert steps == pytest.approx(round(steps), abs=1e-6)


def big_news(league: int, events: int) -> Iterator[tuple[SimulatedEvent, int]]:
    """News that certainly move a line, with nothing else happening while books react."""
    for event in fixtures(11, events, league):
        for at, before, after in zip(event.state_times[1:].tolist(), event.states, event.states[1:], strict=False):
            others = [
                t for t in event.state_times.tolist() if t != at and at - REACTION_SECONDS < t < at + REACTION_SECONDS
            ]
            since = at - event.listed_at
            calm = all(
                QUIET_SECONDS < since % period < period - REACTION_SECONDS
                for period in (ERROR_EPOCH_SECONDS, STATE_STEP_SECONDS)
            )
            jump = abs((after.home - after.away) - (before.home - before.away)) / before.deviation
            if jump > 0.25 and at < event.start - REACTION_SECONDS and since > REACTION_SECONDS and calm and not others:
                yield event, at


def reaction(event: SimulatedEvent, number: int, news: int) -> int | None:
    """Seconds until the feed has other prices than before the news; None if the book has a fault."""
    if not all(is_sound(event, number, news + s) for s in range(-QUIET_SECONDS, REACTION_SECONDS + 1, 10)):
        return None
    before = prices(event, number, news - 1)
    return next((s for s in range(REACTION_SECONDS + 1) if prices(event, number, news + s) != before), None)


def prices(event: SimulatedEvent, number: int, at: int) -> list[SimulatedQuote]:
    return list(quotes_at(event, number, last_scrape_at(event, number, at)).values())


@pytest.mark.untraced
def test_sharp_books_move_first() -> None:
    news = [*big_news(0, 200), *big_news(1, 200)]
    assert len(news) > 8
    typical = {}
    for number, book in enumerate(BOOKS):
        found = [s for event, at in news if (s := reaction(event, number, at)) is not None]
        late = book.lag_seconds if not book.copied_book else 0
        assert all(late <= s <= REACTION_SECONDS for s in found)
        typical[number] = median(found)
    fastest = max(typical[i] for i in SHARP + EXCHANGES)
    assert fastest < 10
    assert fastest < min(typical[i] for i in SLOW)
    assert max(typical[i] for i in QUICK) < min(typical[i] for i in SLOW)
    assert all(
        typical[i] == pytest.approx(BOOKS[i].lag_seconds + BOOKS[i].scrape_seconds / 2, abs=BOOKS[i].scrape_seconds)
        for i in SLOW
    )


@pytest.mark.parametrize("number", CLONES)
def test_a_clone_copies_its_source_with_a_lag(number: int) -> None:
    [source] = [i for i, book in enumerate(BOOKS) if book.key == BOOKS[number].copied_book]
    moved = 0
    for event in fixtures(11, 20, 1):
        for at in range(event.listed_at + 60, event.start, 97):
            copied = quotes_at(event, number, at)
            assert copied == quotes_at(event, source, at - int(BOOKS[number].lag_seconds))
            moved += copied != quotes_at(event, source, at)
    assert moved
