"""The simulated books: lags, margins and clones. None of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BookKind = Literal["sharp", "soft", "clone", "exchange"]


@dataclass(frozen=True, slots=True)
class SimulatedBook:
    """The parameters of a book.

    `margin` is its overround on a two-way market; `has_longshot_bias` spreads it evenly over the outcomes instead of in
    proportion to their probabilities. `lag_seconds` is the delay before news reach it, `noise` the standard
    deviation of its errors in log-odds, `scrape_seconds` the interval at which the feed reads it. `quotes_regulation`:
    it quotes ice hockey as a three-way market. `copied_book` is the book whose prices it copies, `lag_seconds` late,
    errors included.
    """

    key: str
    title: str
    kind: BookKind
    margin: float
    lag_seconds: float
    noise: float
    scrape_seconds: int
    has_longshot_bias: bool = False
    is_american: bool = True
    quotes_regulation: bool = False
    copied_book: str | None = None


def _soft_book(
    name: str,
    margin: float,
    lag_seconds: float,
    noise: float,
    scrape_seconds: int,
    *,
    longshot: bool = False,
    european: bool = False,
) -> SimulatedBook:
    """A soft book. A European one quotes decimal odds, and the regulation result of ice hockey."""
    return SimulatedBook(
        _book_key(name),
        _book_title(name),
        "soft",
        margin,
        lag_seconds,
        noise,
        scrape_seconds,
        longshot,
        is_american=not european,
        quotes_regulation=european,
    )


def _book_key(name: str) -> str:
    return f"sim_{name.lower().replace(' ', '_')}"


def _book_title(name: str) -> str:
    return f"{name} (sim)"


# Two thirds of the soft books lag like measured feeds (SharpAPI, April 2026: p50 3 to 8 s, p95 6 to 21 s);
# the others, a minute or more late, offer most of the value bets.
BOOKS = (
    SimulatedBook("sim_apex", _book_title("Apex"), "sharp", 0.022, 0.0, 0.008, 5, is_american=False),
    SimulatedBook("sim_meridian", _book_title("Meridian"), "sharp", 0.025, 1.0, 0.010, 5, is_american=False),
    SimulatedBook("sim_keystone", _book_title("Keystone"), "sharp", 0.030, 2.0, 0.012, 6),
    SimulatedBook("sim_agora", _book_title("Agora Exchange"), "exchange", 0.010, 1.0, 0.008, 5, is_american=False),
    SimulatedBook("sim_forum", _book_title("Forum Exchange"), "exchange", 0.012, 3.0, 0.008, 6, is_american=False),
    _soft_book("Bluebird", 0.045, 4, 0.030, 6),
    _soft_book("Castaway", 0.050, 7, 0.035, 8, longshot=True),
    _soft_book("Dovetail", 0.047, 12, 0.030, 8),
    _soft_book("Emberline", 0.055, 60, 0.040, 20, longshot=True),
    _soft_book("Foxglove", 0.048, 5, 0.030, 6, european=True),
    _soft_book("Gold Lantern", 0.060, 80, 0.045, 25),
    _soft_book("Highroad", 0.045, 6, 0.030, 8),
    _soft_book("Inkwell", 0.052, 10, 0.035, 8, european=True),
    _soft_book("Jackdaw", 0.065, 100, 0.050, 30, longshot=True),
    _soft_book("Kingfisher", 0.046, 4, 0.030, 6),
    _soft_book("Lodestar", 0.050, 8, 0.035, 8, european=True),
    _soft_book("Mariner", 0.058, 15, 0.040, 10, longshot=True),
    _soft_book("Nightjar", 0.070, 120, 0.050, 30),
    _soft_book("Old Mill", 0.062, 90, 0.045, 30),
    _soft_book("Paragon", 0.044, 3, 0.025, 5),
    _soft_book("Quill", 0.054, 20, 0.040, 12, longshot=True),
    _soft_book("Redcoat", 0.049, 9, 0.030, 8),
    SimulatedBook(
        "sim_bluebird_east", _book_title("Bluebird East"), "clone", 0.045, 8, 0.030, 6, copied_book="sim_bluebird"
    ),
    SimulatedBook(
        "sim_highroad_mobile", _book_title("Highroad Mobile"), "clone", 0.045, 10, 0.030, 8, copied_book="sim_highroad"
    ),
)

BOOK_INDEX = {book.key: i for i, book in enumerate(BOOKS)}
