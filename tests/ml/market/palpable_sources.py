"""Where boards of prices come from: the simulator, football-data.co.uk, payloads of The Odds API."""

from __future__ import annotations

import json
import tarfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.sandbox.simulator.books import BOOK_INDEX, BOOKS
from edge_assets.sandbox.simulator.leagues import LEAGUES
from edge_assets.sandbox.simulator.market import SimulatedMarket
from edge_assets.sandbox.simulator.quoting import active_faults, last_scrape_at, resolve_origin, scrape_book
from tests.ml.market.palpable_boards import Boards
from tests.support.football_matches import prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_assets.sandbox.simulator.fixtures import SimulatedEvent

    Array = NDArray[np.float64]
    Lines = dict[tuple[Any, ...], dict[int, dict[int, float]]]

COLUMN = {"home": 0, "away": 1, "draw": 2, "over": 0, "under": 1}
ERRORS = {"palpable_error", "swapped"}
STALE_AFTER = 600
"""Seconds (`ScoringRules.stale_after_seconds`): what stands still for longer is withheld anyway."""
CLONES = [BOOK_INDEX[book.key] for book in BOOKS if book.kind == "clone"]
LEADERS = [BOOK_INDEX[book.key] for book in BOOKS if book.kind in {"sharp", "exchange"}]
"""By their weight they are the consensus, so what they offer is never above it by much."""
EVERY = 900
SEEN_AFTER = 45
"""Seconds from the beginning of an error until the feed has polled the book; errors last a minute or more."""

MATCH_BOOKS = ("B365", "BW", "GB", "IW", "LB", "PS", "WH", "SJ", "VC", "BS", "SB")
CONTRADICTED = 1.02
"""By how much a book's price exceeds the best price in the same row, where the row is wrong."""


def simulate_boards(seed: int, begins: Iterable[datetime], *, at_errors: bool) -> dict[int, Boards]:
    """Boards by number of outcomes, of all events that are listed at one of the moments `begins`.

    Each event is polled every quarter of an hour until it starts or, with `at_errors`, once while each of its errors
    is shown.
    """
    simulator = SimulatedMarket(seed)
    events = {e.id: e for at in begins for league in LEAGUES for e in simulator.listed_events(league.key, at)}
    found: dict[int, list[tuple[Array, Array, Array]]] = {2: [], 3: []}
    for event in events.values():
        errors = [f.begins + SEEN_AFTER for f in event.faults if f.kind in ERRORS]
        for at in errors if at_errors else range(event.listed_at + 300, event.start, EVERY):
            for price, wrong, stale in _looked_at(event, at):
                found[price.shape[1]].append((price, wrong, stale))
    return {n: _stack(boards) for n, boards in found.items()}


def _stack(boards: list[tuple[Array, Array, Array]]) -> Boards:
    price, wrong, stale = (np.array(each) for each in zip(*boards, strict=True))
    clean = Boards.clean(price, CLONES)
    frozen = stale.astype(np.bool_)
    doubtful = frozen.copy()
    doubtful[:, LEADERS] = True
    return Boards(price, clean.pool & ~frozen.any(axis=2), wrong.astype(np.bool_), doubtful)


def _looked_at(event: SimulatedEvent, at: float) -> Iterator[tuple[Array, Array, Array]]:
    """Of each line the prices, which are wrong, and which have been standing still for too long (B, n)."""
    lines: Lines = defaultdict(lambda: defaultdict(dict))
    for number in range(len(BOOKS)):
        quotes = scrape_book(event, number, last_scrape_at(event, number, at)).quotes
        width = 3 if any(q.outcome == "draw" for q in quotes) else 2
        for q in quotes:
            point = q.point if q.point is None or q.outcome != "away" else 0.0 - q.point
            lines[q.market, point, width if q.market == "h2h" else 2][number][COLUMN[q.outcome]] = q.price
    for (market, _, width), offers in lines.items():
        price = _matrix(offers, len(BOOKS), width)
        wrong, stale = np.zeros(price.shape), np.zeros(price.shape)
        for number in offers:
            stale[number] = at - last_scrape_at(event, number, at) > STALE_AFTER
            if market == "h2h":
                wrong[number, _wrong_outcomes(event, number, at)] = True
        yield price, wrong, stale


def _wrong_outcomes(event: SimulatedEvent, number: int, at: float) -> list[int]:
    """Outcomes of the moneyline that an error concerns, of the book or of the one that it copies."""
    faults = active_faults(event, *resolve_origin(number, last_scrape_at(event, number, at)))
    single = {f.outcome for f in faults if f.kind == "palpable_error"}
    return sorted(single | ({0, 1} if any(f.kind == "swapped" for f in faults) else set()))


def _matrix(offers: dict[int, dict[int, float]], books: int, width: int) -> Array:
    price = np.full((books, width), np.nan)
    for book, row in offers.items():
        for column, value in row.items():
            price[book, column] = value
    return price


def football(rows: list[dict[str, str]], *, closing: bool = False) -> Boards:
    """1X2 of the books of football-data.co.uk, by the `rows` of its files.

    A price is wrong that exceeds the best price which the row itself gives by more than 2%: that one was collected
    apart, from all books, so the row contradicts itself. Doubtful where there is no best price or by less.
    """
    mark = "C" if closing else ""
    columns = {name for row in rows for name in row}
    names = [[f"{book}{mark}{o}" for o in "HDA"] for book in MATCH_BOOKS if f"{book}{mark}H" in columns]
    price = np.stack([prices(rows, each) for each in names], axis=1)
    best = prices(rows, [f"Max{mark}{o}" for o in "HDA"], [f"BbMx{o}" for o in "HDA"])[:, None]
    clean = Boards.clean(price)
    wrong = price > CONTRADICTED * best
    return Boards(price, clean.pool, wrong, ~wrong & ~(price <= best))


def nba(recording: Path, every: int = 1) -> Boards:
    """The two-way markets of every `every`-th day of the archive, from the middle of the first few."""
    bodies = []
    with tarfile.open(recording) as archive:
        names = sorted(n for n in archive.getnames() if n.endswith(".json"))
        chosen = set(names[every // 2 :: every])
        for member in archive:
            body = archive.extractfile(member) if member.name in chosen else None
            if body is not None:
                bodies.append(json.load(body)["data"])
    return _payload_boards(event for body in bodies for event in body)[2]


def all_regions(folder: Path) -> dict[int, Boards]:
    """One poll over all regions, by number of outcomes."""
    return _payload_boards(e for path in sorted(folder.glob("*.json")) for e in json.loads(path.read_bytes()))


def _payload_boards(events: Iterable[dict[str, Any]]) -> dict[int, Boards]:
    """Two-way and three-way lines; books whose moneyline has a draw are apart from those without."""
    lines: Lines = defaultdict(lambda: defaultdict(dict))
    books: dict[str, int] = {}
    for number, event in enumerate(events):
        for book in event["bookmakers"]:
            column = books.setdefault(book["key"], len(books))
            for market in (m for m in book["markets"] if m["key"] in {"h2h", "spreads", "totals"}):
                for key, outcome, price in _quotes(event, market):
                    lines[(number, *key)][column][outcome] = price
    return {
        n: Boards.clean(np.array([_matrix(offers, len(books), n) for key, offers in lines.items() if key[-1] == n]))
        for n in {key[-1] for key in lines}
    }


def _quotes(event: dict[str, Any], market: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], int, float]]:
    names = {event["home_team"]: 0, event["away_team"]: 1, "Draw": 2, "Over": 0, "Under": 1}
    outcomes = [o for o in market["outcomes"] if o["name"] in names]
    width = 3 if any(o["name"] == "Draw" for o in outcomes) else 2
    for o in outcomes:
        column, point = names[o["name"]], o.get("point")
        if market["key"] == "spreads" and column == 1 and point is not None:
            point = 0.0 - point
        yield (market["key"], point, width), column, _decimal(o["price"])


def _decimal(price: float) -> float:
    """A price below -1 or from 100 on is American; no decimal price of these files is so long on a two-way market."""
    if price <= -100:
        return 1 - 100 / price
    return 1 + price / 100 if price >= 100 else float(price)
