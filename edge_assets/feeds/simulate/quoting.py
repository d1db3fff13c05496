"""How a book turns what it knows into prices."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.simulate.books import BOOKS, NUMBER
from edge_assets.feeds.simulate.faults import MARKETS
from edge_assets.feeds.simulate.fixtures import OPINION_LASTS
from edge_assets.feeds.simulate.model import outlook

if TYPE_CHECKING:
    from edge_assets.feeds.simulate.books import Book
    from edge_assets.feeds.simulate.faults import Fault
    from edge_assets.feeds.simulate.fixtures import Fixture
    from edge_assets.feeds.simulate.model import Outlook

CHEAPEST, DEAREST = 1.01, 101.0


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
    frozen = [f.begins for f in in_force(fixture, number, seen) if f.kind == "stale"]
    return min(seen, *frozen) if frozen else seen


def look(fixture: Fixture, number: int, seen: int) -> Look:
    """What the feed sees of a book at the moment `seen`."""
    origin, moment = origin_of(number, seen)
    if moment < fixture.listed_at:
        return Look(seen, ())
    return Look(seen, tuple(_faulty(_opinion(fixture, origin, moment), in_force(fixture, origin, moment))))


def origin_of(number: int, seen: int) -> tuple[int, int]:
    """Whose prices a book shows, and of which moment: a clone's are its parent's of a while ago."""
    book = BOOKS[number]
    return (NUMBER[book.copies], seen - int(book.lag)) if book.copies else (number, seen)


def in_force(fixture: Fixture, number: int, at: float) -> list[Fault]:
    """The faults of a book at a moment."""
    return [f for f in fixture.faults if f.book == number and f.holds(at)]


def _opinion(fixture: Fixture, number: int, at: int) -> list[Quote]:
    """The quotes that a book means to post."""
    book = BOOKS[number]
    view = outlook(fixture.knowledge(at - book.lag), fixture.league)
    epoch = min(max(0, (at - fixture.listed_at) // OPINION_LASTS), fixture.opinion.shape[2] - 1)
    errors = {m: book.noise * fixture.opinion[number, i, epoch] for i, m in enumerate(MARKETS)}
    for fault in in_force(fixture, number, at):
        if fault.kind == "mispriced" and fault.market:
            errors[fault.market] += fault.size
    hang = {m: int(fixture.hang[number, i]) for i, m in enumerate(MARKETS)}
    return [
        *_moneyline(fixture, book, view, errors["h2h"]),
        *_spread(book, view, errors["spreads"], hang["spreads"]),
        *_total(book, view, errors["totals"], hang["totals"]),
    ]


def _faulty(quotes: list[Quote], faults: list[Fault]) -> list[Quote]:
    """What becomes of a book's quotes; the moneyline's home and away come first."""
    for fault in faults:
        if fault.kind in {"palpable_error", "generous"}:
            dear = quotes[fault.outcome]
            quotes[fault.outcome] = dear._replace(price=round(min(dear.price * fault.size, DEAREST), 2))
        elif fault.kind == "swapped":
            home, away = quotes[:2]
            quotes[:2] = [home._replace(price=away.price), away._replace(price=home.price)]
    gone = {fault.market for fault in faults if fault.kind == "suspended"}
    return [] if None in gone else [quote for quote in quotes if quote.market not in gone]


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
    point = _hung(-view.final.median, hang)
    fair = _shifted(view.final.above(-point).conditional, error)
    home, away = _prices(book, [fair, 1 - fair])
    return [Quote("spreads", "home", point, home), Quote("spreads", "away", 0.0 - point, away)]


def _total(book: Book, view: Outlook, error: float, hang: int) -> list[Quote]:
    point = _hung(view.total.median, hang)
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
