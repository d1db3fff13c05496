"""Books differ as books do: dear and cheap, quick and slow, original and copied."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.sandbox.simulator.books import BOOKS
from edge_assets.sandbox.simulator.fixtures import ERROR_EPOCH_SECONDS, STATE_STEP_SECONDS, SimulatedEvent
from edge_assets.sandbox.simulator.quoting import last_scrape_at
from tests.support.simulated_markets import QUICK, SLOW, fixtures, is_sound, meant, moment, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.sandbox.simulator.market import SimulatedMarket
    from edge_assets.sandbox.simulator.quoting import SimulatedQuote

SHARP = [i for i, book in enumerate(BOOKS) if book.kind == "sharp"]
EXCHANGES = [i for i, book in enumerate(BOOKS) if book.kind == "exchange"]
CLONES = [i for i, book in enumerate(BOOKS) if book.kind == "clone"]
WATCHED = 150
"""Seconds that the slowest book may take: its lag and a look by the feed."""
DULL = 40
"""Seconds before the news in which nothing else may happen: what the feed shows may be as old."""


def overrounds(number: int, market: str) -> list[float]:
    """Of a book's two-way prices on 80 events, an hour before the start."""
    found = []
    for league in (0, 1):
        for event in fixtures(11, 40, league):
            at = event.start - 3_600
            prices = [q.price for (m, _), q in shown(event, number, at).items() if m == market]
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


def test_a_longshot_is_dearer_where_the_margin_is_spread_evenly(world: SimulatedMarket) -> None:
    loaded = {book.has_longshot_bias: loading(world, i) for i, book in enumerate(BOOKS) if book.margin == 0.05}
    assert loaded[False] == pytest.approx(0, abs=0.02)
    assert loaded[True] > 0.05


def loading(world: SimulatedMarket, number: int) -> float:
    """How much more of its chance a clear underdog pays than a favourite, averaged over events."""
    extra = []
    for event in fixtures(11, 200, 0):
        at = event.start - 60
        quotes = [q for (m, _), q in meant(event, number, at).items() if m == "h2h"]
        favourite, underdog = sorted(quotes, key=lambda q: q.price)
        paid = [
            1
            / q.price
            / world.true_probabilities(event, "h2h", q.outcome, None, moment(at - BOOKS[number].lag_seconds)).win
            for q in (favourite, underdog)
        ]
        if underdog.price > 3:
            extra.append(paid[1] - paid[0])
    assert len(extra) > 20
    return float(np.mean(extra))


def test_american_books_move_in_american_steps() -> None:
    for event in fixtures(11, 30, 1):
        for number, book in enumerate(BOOKS):
            if not is_sound(event, number, event.start - 3_600):
                continue
            for quote in shown(event, number, event.start - 3_600).values():
                american = (quote.price - 1) * 100 if quote.price >= 2 else -100 / (quote.price - 1)
                steps = american / 5 if book.is_american else quote.price * 100
                assert steps == pytest.approx(round(steps), abs=1e-6)


def big_news(league: int, events: int) -> Iterator[tuple[SimulatedEvent, int]]:
    """News that move a line for sure, with nothing else happening while books react."""
    for event in fixtures(11, events, league):
        for at, before, after in zip(event.state_times[1:].tolist(), event.states, event.states[1:], strict=False):
            others = [t for t in event.state_times.tolist() if t != at and at - WATCHED < t < at + WATCHED]
            since = at - event.listed_at
            calm = all(DULL < since % period < period - WATCHED for period in (ERROR_EPOCH_SECONDS, STATE_STEP_SECONDS))
            jump = abs((after.home - after.away) - (before.home - before.away)) / before.deviation
            if jump > 0.25 and at < event.start - WATCHED and since > WATCHED and calm and not others:
                yield event, at


def reaction(event: SimulatedEvent, number: int, news: int) -> int | None:
    """Seconds until the feed shows other prices than before the news; None if something is wrong at the book."""
    if not all(is_sound(event, number, news + s) for s in range(-DULL, WATCHED + 1, 10)):
        return None
    before = prices(event, number, news - 1)
    return next((s for s in range(WATCHED + 1) if prices(event, number, news + s) != before), None)


def prices(event: SimulatedEvent, number: int, at: int) -> list[SimulatedQuote]:
    return list(shown(event, number, last_scrape_at(event, number, at)).values())


@pytest.mark.untraced
def test_sharp_books_move_first() -> None:
    news = [*big_news(0, 200), *big_news(1, 200)]
    assert len(news) > 8
    typical = {}
    for number, book in enumerate(BOOKS):
        found = [s for event, at in news if (s := reaction(event, number, at)) is not None]
        late = book.lag_seconds if not book.copied_book else 0
        assert all(late <= s <= WATCHED for s in found)
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
def test_a_clone_shows_its_parent_of_a_while_ago(number: int) -> None:
    [parent] = [i for i, book in enumerate(BOOKS) if book.key == BOOKS[number].copied_book]
    moved = 0
    for event in fixtures(11, 20, 1):
        for at in range(event.listed_at + 60, event.start, 97):
            copied = shown(event, number, at)
            assert copied == shown(event, parent, at - int(BOOKS[number].lag_seconds))
            moved += copied != shown(event, parent, at)
    assert moved
