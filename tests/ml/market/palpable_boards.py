"""Boards of prices with what is known of their errors, and errors made on purpose."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.market.palpable import (
    LIKELY_ERROR_PROBABILITY,
    PalpableFeatures,
    error_probability,
    log_ratios,
    palpable_features,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MIN_OTHERS = 4
LEAST_EDGE = 0.05
"""The alert threshold: only prices above it are scored."""
LIKELY_ERROR_PRICE = np.log(1.8)
"""An error makes the odds 1.8 times too long or more (the smallest of the simulator's); less is a matter of opinion."""
LONGER = 1.05
"""An edge of .05 takes a price at least so much above the median of books with a margin."""
POINT_IN_LOG_ODDS = 0.13
"""Of a spread in American football (`ml.movement.MovementRules.per_point`)."""
KINDS = ("exchanged", "decimal_point", "sign_lost", "stake_counted", "other_market", "wrong_point")


@dataclass(frozen=True, slots=True, eq=False)
class Boards:
    """Decimal `price` (L, B, n), `pool` (L, B); (L, B, n) which are known to be `wrong`, and which are `doubtful`."""

    price: Array
    pool: Flags
    wrong: Flags
    doubtful: Flags

    @classmethod
    def clean(cls, price: Array, weightless: Iterable[int] = ()) -> Boards:
        """Without a known error. A book is compared with where it has every outcome and is not `weightless`."""
        pool: Flags = np.logical_and.reduce(np.isfinite(price) & (price > 1), axis=2)
        pool[:, list(weightless)] = False
        none = np.zeros(price.shape, np.bool_)
        return cls(price, pool, none, none.copy())

    def take(self, rows: NDArray[np.intp] | Flags) -> Boards:
        return Boards(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Prices above the threshold: their cells, features, edge, and whether they are known errors, (M,) each."""

    line: NDArray[np.intp]
    book: NDArray[np.intp]
    outcome: NDArray[np.intp]
    features: PalpableFeatures
    edge: Array
    wrong: Flags
    size: Array
    """How many times too long the odds are, as a log; NaN where nobody knows."""

    def __len__(self) -> int:
        return len(self.line)

    def is_flagged(self) -> Flags:
        return error_probability(self.features) > LIKELY_ERROR_PROBABILITY

    def ratios(self) -> Array:
        return np.stack(log_ratios(self.features), axis=1)

    def take(self, chosen: Flags | NDArray[np.intp]) -> Candidates:
        features = type(self.features)(*(getattr(self.features, f.name)[chosen] for f in fields(self.features)))
        rest = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name != "features"}
        return Candidates(features=features, **rest)


def concatenate(parts: Iterable[Candidates]) -> Candidates:
    """All candidates concatenated; `line` still counts within its own part."""
    some = list(parts)
    features = PalpableFeatures(
        *(np.concatenate([getattr(part.features, f.name) for part in some]) for f in fields(PalpableFeatures))
    )
    rest = {
        f.name: np.concatenate([getattr(part, f.name) for part in some])
        for f in fields(Candidates)
        if f.name != "features"
    }
    return Candidates(features=features, **rest)


def candidates(boards: Boards, least_edge: float = LEAST_EDGE, size: Array | None = None) -> Candidates:
    """What would raise an alert, were it no error: by the others' fair price, on lines that enough others offer."""
    pooled = np.where(boards.pool[:, :, None], boards.price, np.inf)
    pooled.sort(axis=1)
    count = boards.pool.sum(axis=1)
    middle = pooled[np.arange(len(pooled)), (count - 1) // 2]
    with np.errstate(invalid="ignore"):
        likely = (boards.price > LONGER * middle[:, None]) & (boards.price > 1) & np.isfinite(boards.price)
    line, book, outcome = np.nonzero(likely & ~boards.doubtful & (count > MIN_OTHERS)[:, None, None])
    features = palpable_features(boards.price, boards.pool, (line, book, outcome))
    price = boards.price[line, book, outcome]
    edge = 1 / (1 + (price - 1) * np.exp(-features.distance)) - 1 / price
    cells = line, book, outcome
    size = np.full(boards.price.shape, np.nan) if size is None else size
    found = Candidates(*cells, features, edge, boards.wrong[cells], size[cells])
    return found.take(edge >= least_edge)


def inject_errors(boards: Boards, kind: str, count: int, seed: int) -> Candidates:
    """`count` boards drawn with replacement, with one error each at a book drawn with it; what is above the threshold.

    Only the wrong book's prices are scored.
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice(np.flatnonzero(boards.pool.sum(axis=1) > MIN_OTHERS), count)
    drawn = boards.take(rows)
    book = (rng.random(drawn.pool.shape) * drawn.pool).argmax(axis=1)
    at = np.arange(count), book
    before = drawn.price[at]
    after = np.maximum(np.round(_ERRORS[kind](before, drawn.price[rng.permutation(count), book], rng), 2), 1.01)
    drawn.price[at] = after
    size = np.full(drawn.price.shape, np.nan)
    size[at] = np.log((after - 1) / (before - 1))
    drawn.wrong[at] = size[at] > 0
    found = candidates(drawn, size=size)
    return found.take(found.wrong)


def _swap_first_and_last(price: Array, other: Array, rng: np.random.Generator) -> Array:
    return price[:, [-1, *range(1, price.shape[1] - 1), 0]]


def _decimal_point(price: Array, other: Array, rng: np.random.Generator) -> Array:
    return _at_one(price, rng, lambda p: p * rng.choice([10.0, 100.0], len(p)))


def _sign_lost(price: Array, other: Array, rng: np.random.Generator) -> Array:
    return _at_one(price, rng, lambda p: 1 + 1 / (p - 1))


def _stake_counted(price: Array, other: Array, rng: np.random.Generator) -> Array:
    return _at_one(price, rng, lambda p: p + 1)


def _other_market(price: Array, other: Array, rng: np.random.Generator) -> Array:
    return np.where(np.isnan(other), price, other)


def _wrong_point(price: Array, other: Array, rng: np.random.Generator) -> Array:
    """Three to seven points off, all prices of the book."""
    shift = POINT_IN_LOG_ODDS * rng.integers(3, 8, len(price)) * rng.choice([-1, 1], len(price))
    tilt = np.linspace(0.5, -0.5, price.shape[1]) * shift[:, None]
    share = np.exp(tilt) / price
    cost = (1 / price).sum(axis=1, keepdims=True)
    moved: Array = share.sum(axis=1, keepdims=True) / (share * cost)
    return moved


def _at_one(price: Array, rng: np.random.Generator, slip: Callable[[Array], Array]) -> Array:
    at = np.arange(len(price)), rng.integers(0, price.shape[1], len(price))
    wrong = price.copy()
    wrong[at] = slip(price[at])
    return wrong


_ERRORS = dict(
    zip(
        KINDS,
        (_swap_first_and_last, _decimal_point, _sign_lost, _stake_counted, _other_market, _wrong_point),
        strict=True,
    )
)
