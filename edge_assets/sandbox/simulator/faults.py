"""Faults of the simulated books, drawn for each event in advance, so that tests know what to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from edge_assets.sandbox.simulator.books import BOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

FaultKind = Literal["stale", "suspended", "palpable_error", "swapped", "promotion", "mispriced"]

MARKETS = ("h2h", "spreads", "totals")
SOFT_BOOKS = tuple(i for i, book in enumerate(BOOKS) if book.kind == "soft")
STALE_SHARE = 0.05
SUSPENDED_SHARE = 0.08
ERRORS_PER_EVENT = 1.0
SWAPS_PER_EVENT = 1.5
PROMOTIONS_PER_EVENT = 0.7
MISPRICED_PER_EVENT = 8.0
"""One or two active mispricings per event: four leagues then have a few new value bets a minute."""


class Fault(NamedTuple):
    """A fault of book number `book` from `begins` until `ends` (seconds since the epoch), in one `market` or, if None,
    in all.

    `stale`: prices and confirmations are frozen. `suspended`: nothing is on offer. `palpable_error`: the moneyline
    price of outcome number `outcome` is multiplied by `size`. `swapped`: the moneyline's favourite and underdog have
    each other's price. `promotion`: like an error, but small enough that a book honours it, and large enough for an
    arbitrage. `mispriced`: the book's estimate is off by `size` in log-odds, which makes one side a true value bet.
    """

    kind: FaultKind
    book: int
    begins: int
    ends: int
    market: str | None = None
    outcome: int = 0
    size: float = 0.0

    def is_active(self, at: float) -> bool:
        """Whether the fault is active."""
        return self.begins <= at < self.ends


def draw_faults(rng: np.random.Generator, listed: int, start: int) -> tuple[Fault, ...]:
    """All faults of an event that is listed from `listed` until its `start`, ordered by `begins`."""
    drawn = [
        *_draw_outages(rng, listed, start),
        *_draw_misprints(rng, listed, start),
        *_draw_mispricings(rng, listed, start),
    ]
    return tuple(sorted(drawn, key=lambda f: f.begins))


def _draw_outages(rng: np.random.Generator, listed: int, start: int) -> Iterator[Fault]:
    for book in SOFT_BOOKS:
        if rng.random() < STALE_SHARE:
            yield _draw_fault(rng, "stale", book, (listed + 600, start), (1_200, 2_400))
        if rng.random() < SUSPENDED_SHARE:
            whole = _draw_fault(rng, "suspended", book, (listed, start), (30, 180))
            yield whole._replace(market=(None, *MARKETS)[rng.integers(4)])


def _draw_misprints(rng: np.random.Generator, listed: int, start: int) -> Iterator[Fault]:
    for _ in range(rng.poisson(ERRORS_PER_EVENT)):
        error = _draw_fault(rng, "palpable_error", _draw_soft_book(rng), (listed, start), (60, 180))
        yield error._replace(market="h2h", outcome=int(rng.integers(2)), size=float(rng.uniform(1.8, 3.5)))
    for _ in range(rng.poisson(SWAPS_PER_EVENT)):
        yield _draw_fault(rng, "swapped", _draw_soft_book(rng), (listed, start), (60, 180))._replace(market="h2h")
    for _ in range(rng.poisson(PROMOTIONS_PER_EVENT)):
        promotion = _draw_fault(rng, "promotion", _draw_soft_book(rng), (listed, start), (60, 150))
        yield promotion._replace(market="h2h", outcome=int(rng.integers(2)), size=float(rng.uniform(1.06, 1.10)))


def _draw_mispricings(rng: np.random.Generator, listed: int, start: int) -> Iterator[Fault]:
    for _ in range(rng.poisson(MISPRICED_PER_EVENT)):
        mispricing = _draw_fault(rng, "mispriced", _draw_soft_book(rng), (listed, start), (90, 360))
        market = str(rng.choice(MARKETS, p=[0.6, 0.2, 0.2]))
        yield mispricing._replace(market=market, size=float(rng.uniform(0.3, 0.5) * rng.choice([-1, 1])))


def _draw_soft_book(rng: np.random.Generator) -> int:
    return int(rng.choice(SOFT_BOOKS))


def _draw_fault(
    rng: np.random.Generator, kind: FaultKind, book: int, within: tuple[int, int], duration: tuple[int, int]
) -> Fault:
    begins = int(rng.integers(*within))
    return Fault(kind, book, begins, begins + int(rng.integers(*duration)))
