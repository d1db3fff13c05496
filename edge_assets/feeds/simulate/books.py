"""The simulated books: who is quick, who is dear, who copies whom. None of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["sharp", "soft", "clone", "exchange"]


@dataclass(frozen=True, slots=True)
class Book:
    """A book's habits.

    `margin` is its overround on a two-way market; `longshot` spreads it evenly over the outcomes instead of in
    proportion (the favourite-longshot bias). `lag` (s) is how late it learns news, `noise` the standard deviation
    of its opinion in log-odds, `scrape` (s) how often the feed looks at it. `regulation`: it quotes ice hockey as a
    three-way market. `copies` is the book whose prices it shows, `lag` late, errors included.
    """

    key: str
    title: str
    kind: Kind
    margin: float
    lag: float
    noise: float
    scrape: int
    longshot: bool = False
    american: bool = True
    regulation: bool = False
    copies: str | None = None


def _soft(
    name: str, margin: float, lag: float, noise: float, scrape: int, *, longshot: bool = False, european: bool = False
) -> Book:
    """A European book quotes decimal odds, and ice hockey by its regulation result."""
    return Book(
        _key(name),
        _title(name),
        "soft",
        margin,
        lag,
        noise,
        scrape,
        longshot,
        american=not european,
        regulation=european,
    )


def _key(name: str) -> str:
    return f"sim_{name.lower().replace(' ', '_')}"


def _title(name: str) -> str:
    return f"{name} (sim)"


# Of the soft books two thirds are as late as measured feeds are (SharpAPI, April 2026: p50 3 to 8 s, p95 6 to 21 s);
# the others, a minute and more, are the ones that a bettor lives on.
BOOKS = (
    Book("sim_apex", _title("Apex"), "sharp", 0.022, 0.0, 0.008, 5, american=False),
    Book("sim_meridian", _title("Meridian"), "sharp", 0.025, 1.0, 0.010, 5, american=False),
    Book("sim_keystone", _title("Keystone"), "sharp", 0.030, 2.0, 0.012, 6),
    Book("sim_agora", _title("Agora Exchange"), "exchange", 0.010, 1.0, 0.008, 5, american=False),
    Book("sim_forum", _title("Forum Exchange"), "exchange", 0.012, 3.0, 0.008, 6, american=False),
    _soft("Bluebird", 0.045, 4, 0.030, 6),
    _soft("Castaway", 0.050, 7, 0.035, 8, longshot=True),
    _soft("Dovetail", 0.047, 12, 0.030, 8),
    _soft("Emberline", 0.055, 60, 0.040, 20, longshot=True),
    _soft("Foxglove", 0.048, 5, 0.030, 6, european=True),
    _soft("Gold Lantern", 0.060, 80, 0.045, 25),
    _soft("Highroad", 0.045, 6, 0.030, 8),
    _soft("Inkwell", 0.052, 10, 0.035, 8, european=True),
    _soft("Jackdaw", 0.065, 100, 0.050, 30, longshot=True),
    _soft("Kingfisher", 0.046, 4, 0.030, 6),
    _soft("Lodestar", 0.050, 8, 0.035, 8, european=True),
    _soft("Mariner", 0.058, 15, 0.040, 10, longshot=True),
    _soft("Nightjar", 0.070, 120, 0.050, 30),
    _soft("Old Mill", 0.062, 90, 0.045, 30),
    _soft("Paragon", 0.044, 3, 0.025, 5),
    _soft("Quill", 0.054, 20, 0.040, 12, longshot=True),
    _soft("Redcoat", 0.049, 9, 0.030, 8),
    Book("sim_bluebird_east", _title("Bluebird East"), "clone", 0.045, 8, 0.030, 6, copies="sim_bluebird"),
    Book("sim_highroad_mobile", _title("Highroad Mobile"), "clone", 0.045, 10, 0.030, 8, copies="sim_highroad"),
)

NUMBER = {book.key: i for i, book in enumerate(BOOKS)}
