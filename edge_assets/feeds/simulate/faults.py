"""What goes wrong at the books, on purpose: drawn for each event in advance, so that tests know what to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from edge_assets.feeds.simulate.books import BOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator

FaultKind = Literal["stale", "palpable_error", "suspended", "generous"]

STALE_SHARE = 0.05
SUSPENDED_SHARE = 0.08
ERRORS_PER_EVENT = 1.0
GENEROUS_PER_EVENT = 2.0
SOFT = tuple(i for i, book in enumerate(BOOKS) if book.kind == "soft")


class Fault(NamedTuple):
    """Something wrong at book number `book` from `begins` until `ends` (seconds since the epoch).

    `stale`: prices and confirmations are frozen. `palpable_error`: the moneyline price of outcome number
    `outcome` is multiplied by `factor`. `suspended`: the book shows nothing. `generous`: a promotion; the same as
    an error in kind, but of a size that a book honours, and enough for an arbitrage.
    """

    kind: FaultKind
    book: int
    begins: int
    ends: int
    outcome: int = 0
    factor: float = 1.0

    def holds(self, at: float) -> bool:
        """Whether it is in force."""
        return self.begins <= at < self.ends


def draw_faults(rng: np.random.Generator, listed: int, start: int) -> tuple[Fault, ...]:
    """All faults of an event that is listed from `listed` until its `start`."""
    return tuple(sorted(_drawn(rng, listed, start), key=lambda f: f.begins))


def _drawn(rng: np.random.Generator, listed: int, start: int) -> Iterator[Fault]:
    for book in SOFT:
        if rng.random() < STALE_SHARE:
            yield _window(rng, "stale", book, (listed + 600, start), (1_200, 2_400))
        if rng.random() < SUSPENDED_SHARE:
            yield _window(rng, "suspended", book, (listed, start), (30, 180))
    for _ in range(rng.poisson(ERRORS_PER_EVENT)):
        error = _window(rng, "palpable_error", int(rng.choice(SOFT)), (listed, start), (60, 180))
        yield error._replace(outcome=int(rng.integers(2)), factor=float(rng.uniform(1.8, 3.5)))
    for _ in range(rng.poisson(GENEROUS_PER_EVENT)):
        gift = _window(rng, "generous", int(rng.choice(SOFT)), (listed, start), (60, 150))
        yield gift._replace(outcome=int(rng.integers(2)), factor=float(rng.uniform(1.06, 1.10)))


def _window(
    rng: np.random.Generator, kind: FaultKind, book: int, within: tuple[int, int], lasts: tuple[int, int]
) -> Fault:
    begins = int(rng.integers(*within))
    return Fault(kind, book, begins, begins + int(rng.integers(*lasts)))
