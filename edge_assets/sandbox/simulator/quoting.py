"""The prices of a simulated book."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.sandbox.simulator.books import BOOK_INDEX, BOOKS
from edge_assets.sandbox.simulator.faults import MARKETS
from edge_assets.sandbox.simulator.fixtures import ERROR_EPOCH_SECONDS
from edge_assets.sandbox.simulator.model import compute_distributions

if TYPE_CHECKING:
    from edge_assets.sandbox.simulator.books import SimulatedBook
    from edge_assets.sandbox.simulator.faults import Fault
    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent
    from edge_assets.sandbox.simulator.model import EventDistributions

MIN_PRICE, MAX_PRICE = 1.01, 101.0


class SimulatedQuote(NamedTuple):
    """A price on an outcome ("home", "away", "draw", "over", "under")."""

    market: str
    outcome: str
    point: float | None
    price: float


class Scrape(NamedTuple):
    """The feed's last reading of a book: its time, and the quotes (empty: nothing on offer)."""

    at: int
    quotes: tuple[SimulatedQuote, ...]


def last_scrape_at(event: SimulatedEvent, book_index: int, at: float) -> int:
    """When the feed last read a book successfully."""
    book = BOOKS[book_index]
    phase = int(event.scrape_phase[book_index]) % book.scrape_seconds
    seen = int((at - phase) // book.scrape_seconds) * book.scrape_seconds + phase
    frozen = [f.begins for f in active_faults(event, book_index, seen) if f.kind == "stale"]
    return min(seen, *frozen) if frozen else seen


def scrape_book(event: SimulatedEvent, book_index: int, seen: int) -> Scrape:
    """The feed's reading of a book at time `seen`."""
    origin, quoted_at = resolve_origin(book_index, seen)
    if quoted_at < event.listed_at:
        return Scrape(seen, ())
    return Scrape(
        seen, tuple(_apply_faults(_intended_quotes(event, origin, quoted_at), active_faults(event, origin, quoted_at)))
    )


def resolve_origin(book_index: int, seen: int) -> tuple[int, int]:
    """The book whose prices are shown, and their time: a clone shows its source's prices with a lag."""
    book = BOOKS[book_index]
    return (BOOK_INDEX[book.copied_book], seen - int(book.lag_seconds)) if book.copied_book else (book_index, seen)


def active_faults(event: SimulatedEvent, book_index: int, at: float) -> list[Fault]:
    """The faults of a book at a time."""
    return [f for f in event.faults if f.book == book_index and f.is_active(at)]


def _intended_quotes(event: SimulatedEvent, book_index: int, at: int) -> list[SimulatedQuote]:
    """The quotes that a book intends to post, before faults."""
    book = BOOKS[book_index]
    distributions = compute_distributions(event.state_at(at - book.lag_seconds), event.league)
    epoch = min(max(0, (at - event.listed_at) // ERROR_EPOCH_SECONDS), event.log_odds_errors.shape[2] - 1)
    errors = {m: book.noise * event.log_odds_errors[book_index, i, epoch] for i, m in enumerate(MARKETS)}
    for fault in active_faults(event, book_index, at):
        if fault.kind == "mispriced" and fault.market:
            errors[fault.market] += fault.size
    offsets = {m: int(event.point_offset[book_index, i]) for i, m in enumerate(MARKETS)}
    return [
        *_moneyline_quotes(event, book, distributions, errors["h2h"]),
        *_spread_quotes(book, distributions, errors["spreads"], offsets["spreads"]),
        *_total_quotes(book, distributions, errors["totals"], offsets["totals"]),
    ]


def _apply_faults(quotes: list[SimulatedQuote], faults: list[Fault]) -> list[SimulatedQuote]:
    """Apply faults to a book's quotes; the moneyline's home and away come first."""
    for fault in faults:
        if fault.kind in {"palpable_error", "promotion"}:
            original = quotes[fault.outcome]
            quotes[fault.outcome] = original._replace(price=round(min(original.price * fault.size, MAX_PRICE), 2))
        elif fault.kind == "swapped":
            home, away = quotes[:2]
            quotes[:2] = [home._replace(price=away.price), away._replace(price=home.price)]
    suspended = {fault.market for fault in faults if fault.kind == "suspended"}
    return [] if None in suspended else [quote for quote in quotes if quote.market not in suspended]


def _moneyline_quotes(
    event: SimulatedEvent, book: SimulatedBook, distributions: EventDistributions, error: float
) -> list[SimulatedQuote]:
    home, draw = distributions.final.probability_above(0)
    names: tuple[str, ...] = ("home", "away")
    fair = [home, 1 - home]
    if event.league.three_way or (event.league.regulation_books and book.quotes_regulation):
        home, draw = distributions.regulation.probability_above(0)
        names, fair = ("home", "away", "draw"), [home, 1 - home - draw, draw]
    shifts = [error / 2, -error / 2, 0.0][: len(fair)]
    shifted = [p * exp(e) for p, e in zip(fair, shifts, strict=True)]
    prices = _add_margin(book, [p / sum(shifted) for p in shifted])
    return [SimulatedQuote("h2h", name, None, price) for name, price in zip(names, prices, strict=True)]


def _spread_quotes(
    book: SimulatedBook, distributions: EventDistributions, error: float, offset: int
) -> list[SimulatedQuote]:
    """The line is near the median; most books prefer half points, which cannot push."""
    point = _post_point(-distributions.final.median, offset)
    fair = _shift_log_odds(distributions.final.probability_above(-point).win_if_decided, error)
    home, away = _add_margin(book, [fair, 1 - fair])
    return [SimulatedQuote("spreads", "home", point, home), SimulatedQuote("spreads", "away", 0.0 - point, away)]


def _total_quotes(
    book: SimulatedBook, distributions: EventDistributions, error: float, offset: int
) -> list[SimulatedQuote]:
    point = _post_point(distributions.total.median, offset)
    fair = _shift_log_odds(distributions.total.probability_above(point).win_if_decided, error)
    over, under = _add_margin(book, [fair, 1 - fair])
    return [SimulatedQuote("totals", "over", point, over), SimulatedQuote("totals", "under", point, under)]


def _post_point(middle: float, offset: int) -> float:
    half = round(middle - 0.5) + 0.5
    return half + offset / 2


def _shift_log_odds(p: float, error: float) -> float:
    return 1 / (1 + exp(-(log(p / (1 - p)) + error)))


def _add_margin(book: SimulatedBook, fair: list[float]) -> list[float]:
    """Prices with the book's margin, which is half as large again on three-way markets."""
    margin = book.margin * len(fair) / 2
    share = [margin / len(fair)] * len(fair) if book.has_longshot_bias else [p * margin for p in fair]
    return [_round_price(book, 1 / (p + s)) for p, s in zip(fair, share, strict=True)]


def _round_price(book: SimulatedBook, price: float) -> float:
    price = min(max(price, MIN_PRICE), MAX_PRICE)
    if not book.is_american:
        return max(MIN_PRICE, round(price, 2))
    step = 5 if 1.4 < price < 3.5 else 10  # noqa: PLR2004 - American books move in fives near evens
    if price >= 2:  # noqa: PLR2004 - evens
        return 1 + max(100, step * round((price - 1) * 100 / step)) / 100
    return 1 + 100 / max(100, step * round(100 / (price - 1) / step))
