"""Market structures drawn at random, and a table of weights that is right about most books, like `books.toml`.

No constant of the scorer was chosen on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.drawn_markets import EXCHANGE, MIDDLING, QUICK, SHARP, SLOW, BookGroup, Drawn, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BOOKS = {SHARP: (0, 4), EXCHANGE: (0, 3), MIDDLING: (0, 3), QUICK: (3, 13), SLOW: (0, 7)}
"""The fewest books of each kind, and one more than the most."""
UNLISTED = 0.2
"""The share of accurate books that the table does not list, which weigh 1 then."""
OVERRATED = 1 / 6
"""The share of soft books that it takes for better ones, at `OVERRATED_WEIGHT`."""
OVERRATED_WEIGHT = 2.0


def draw_structures(seed: int, count: int) -> list[Structure]:
    """Draw structures that differ in their books, copying, shared errors, mistakes, news and favourites."""
    rng = np.random.default_rng(seed)
    return [_draw_structure(rng) for _ in range(count)]


def _draw_structure(rng: np.random.Generator) -> Structure:
    books = {group: int(rng.integers(*limits)) for group, limits in MOST_BOOKS.items()}
    noise = rng.uniform(0.7, 1.4)
    return Structure(
        tuple(_scale_noise(group, number, noise) for group, number in books.items() if number),
        outcomes=int(rng.choice([2, 2, 3])),
        copying=rng.uniform(0, 0.8),
        common=float(rng.choice([0, 0, rng.uniform(0, 0.02)])),
        mistakes=rng.uniform(0.005, 0.02),
        news=float(np.exp(rng.uniform(np.log(300), np.log(3600)))),
        favourites=rng.uniform(0.4, 1.2),
    )


def _scale_noise(group: BookGroup, books: int, noise: float) -> BookGroup:
    low, high = group.noise
    return group._replace(books=books, noise=(low * noise, high * noise))


def shipped_weights(drawn: Drawn, seed: int) -> NDArray[np.float64]:
    """The realistic weights (B,) with some accurate books unlisted and some soft ones overrated."""
    draws = np.random.default_rng(seed).random((2, len(drawn.weight)))
    accurate = drawn.weight > 1
    weight = np.where(accurate & (draws[0] < UNLISTED), 1.0, drawn.weight)
    return np.where(~accurate & (draws[1] < OVERRATED), OVERRATED_WEIGHT, weight)
