"""How a book turns what it knows into prices."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.simulate.books import BOOKS, BY_KEY
from edge_assets.feeds.simulate.fixtures import MARKETS, OPINION_LASTS
from edge_assets.feeds.simulate.model import outlook

if TYPE_CHECKING:
    from edge_assets.feeds.simulate.books import Book
    from edge_assets.feeds.simulate.faults import Fault
    from edge_assets.feeds.simulate.fixtures import Fixture
    from edge_assets.feeds.simulate.model import Outlook

CHEAPEST, DEAREST = 1.01, 101.0
INDEX = {book.key: i for i, book in enumerate(BOOKS)}


class Quote(NamedTuple):
    """A price on an outcome ("home", "away", "draw", "over", "under")."""

    market: str
    outcome: str
    point: float | None
    price: float


class Look(NamedTuple):
    """What the feed saw when it last looked at a book: the moment, and the quotes (none: nothing on offer)."""

    at: int
    quotes: tuple[Quote, ...]


def last_look(fixture: Fixture, number: int, at: float) -> int:
    """When the feed last looked at a book with success."""
    book = BOOKS[number]
    phase = int(fixture.phase[number]) % book.scrape
    seen = int((at - phase) // book.scrape) * book.scrape + phase
    frozen = _in_force(fixture, "stale", number, seen)
    return min(frozen.begins, seen) if frozen else seen


def look(fixture: Fixture, number: int, seen: int) -> Look:
    """What the feed sees of a book at the moment `seen`."""
    if _in_force(fixture, "suspended", number, seen) or seen < fixture.listed_at:
        return Look(seen, ())
    book = BOOKS[number]
    opinion_of = INDEX[book.copies] if book.copies else number
    learned = seen - book.lag - (BY_KEY[book.copies].lag if book.copies else 0)
    view = outlook(fixture.knowledge(learned), fixture.league.three_way)
    epoch = min(max(0, (seen - fixture.listed_at) // OPINION_LASTS), fixture.opinion.shape[2] - 1)
    noise = BOOKS[opinion_of].noise
    errors = {m: noise * fixture.opinion[opinion_of, i, epoch] for i, m in enumerate(MARKETS)}
    hang = {m: int(fixture.hang[opinion_of, i]) for i, m in enumerate(MARKETS)}
    quotes = [
        *_moneyline(fixture, book, view, errors["h2h"]),
        *_spread(book, view, errors["spreads"], hang["spreads"]),
        *_total(book, view, errors["totals"], hang["totals"]),
    ]
    for kind in ("palpable_error", "generous"):
        if fault := _in_force(fixture, kind, number, seen):
            quotes[fault.outcome] = _misprinted(quotes[fault.outcome], fault)
    return Look(seen, tuple(quotes))


def _in_force(fixture: Fixture, kind: str, book: int, at: float) -> Fault | None:
    return next((f for f in fixture.faults if f.kind == kind and f.book == book and f.holds(at)), None)


def _misprinted(quote: Quote, fault: Fault) -> Quote:
    return quote._replace(price=round(min(quote.price * fault.factor, DEAREST), 2))


def _moneyline(fixture: Fixture, book: Book, view: Outlook, error: float) -> list[Quote]:
    home, draw = view.final.above(0)
    names: tuple[str, ...] = ("home", "away")
    fair = [home, 1 - home]
    if fixture.league.three_way or (fixture.league.regulation_books and book.regulation):
        home, draw = view.regulation.above(0)
        names, fair = ("home", "away", "draw"), [home, 1 - home - draw, draw]
    lean = [error / 2, -error / 2, 0.0][: len(fair)]
    odd = [p * exp(e) for p, e in zip(fair, lean, strict=True)]
    prices = _prices(book, [p / sum(odd) for p in odd])
    return [Quote("h2h", name, None, price) for name, price in zip(names, prices, strict=True)]


def _spread(book: Book, view: Outlook, error: float, hang: int) -> list[Quote]:
    """The home side's point puts its line near the middle; most books prefer half points, which cannot push."""
    point = _hung(-view.final.median(), hang)
    fair = _shifted(view.final.above(-point).conditional, error)
    home, away = _prices(book, [fair, 1 - fair])
    return [Quote("spreads", "home", point, home), Quote("spreads", "away", 0.0 - point, away)]


def _total(book: Book, view: Outlook, error: float, hang: int) -> list[Quote]:
    point = _hung(view.total.median(), hang)
    fair = _shifted(view.total.above(point).conditional, error)
    over, under = _prices(book, [fair, 1 - fair])
    return [Quote("totals", "over", point, over), Quote("totals", "under", point, under)]


def _hung(middle: float, hang: int) -> float:
    half = round(middle - 0.5) + 0.5
    return half + hang / 2


def _shifted(p: float, error: float) -> float:
    return 1 / (1 + exp(-(log(p / (1 - p)) + error)))


def _prices(book: Book, fair: list[float]) -> list[float]:
    """Prices with the book's margin, which three-way markets carry half as much again."""
    margin = book.margin * len(fair) / 2
    share = [margin / len(fair)] * len(fair) if book.longshot else [p * margin for p in fair]
    return [_rounded(book, 1 / (p + s)) for p, s in zip(fair, share, strict=True)]


def _rounded(book: Book, price: float) -> float:
    price = min(max(price, CHEAPEST), DEAREST)
    if not book.american:
        return max(CHEAPEST, round(price, 2))
    step = 5 if 1.4 < price < 3.5 else 10  # noqa: PLR2004 - American books move in fives near evens
    if price >= 2:  # noqa: PLR2004 - evens
        return 1 + max(100, step * round((price - 1) * 100 / step)) / 100
    return 1 + 100 / max(100, step * round(100 / (price - 1) / step))
