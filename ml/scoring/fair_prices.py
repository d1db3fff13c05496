"""Fair prices of lines with their standard errors: today the books' consensus, later a model or a blend of both.

A provider is pure and prices each ladder independently, so that repricing only the changed ladders gives the same
result as repricing all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ml.market import devig
from ml.market.pooling import pool
from ml.market.weights import merge_clones
from ml.points import PointModel, point_models_for, translate_points
from ml.quotes import Market
from ml.quotes.batch import ColumnBatch
from ml.scoring.confirmations import bucket_weights, is_fresh, staleness_buckets, staleness_variance
from ml.scoring.lines import OUTCOME_IDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.market.pooling import Pool
    from ml.quotes import Micros
    from ml.scoring.books import BookProfiles
    from ml.scoring.lines import LineKey
    from ml.scoring.matrix import LineView
    from ml.scoring.rules import ScoringRules

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class FairPrices:
    """The fair prices of L lines with n outcomes at B books, and the books' fair prices that they are checked against.

    `probability` (n, L) sums to one, NaN where unknown; `log_odds_error` (n, L) is its standard error in log-odds.
    `consensus` is pooled from the books' `fair_log_odds` (n, L, B), which have a `variance` (L, B) each;
    `fresh_sources` (L,) counts the pooled sources that are fresh. `buckets` (L, B) are the ages of the books' prices
    (`staleness_buckets`).
    """

    probability: Array
    log_odds_error: Array
    consensus: Pool
    fair_log_odds: Array
    variance: Array
    fresh_sources: NDArray[np.int64]
    buckets: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class FairPriceBatch(ColumnBatch):
    """Fair prices as columns, one row per outcome of a line with a fair price; `point` is the line's (`LineKey`).

    `sources` counts the independent books in the line's consensus.
    """

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    point: NDArray[np.float32]
    outcome: NDArray[np.int32]
    probability: NDArray[np.float64]
    log_odds_error: NDArray[np.float64]
    sources: NDArray[np.int16]

    DTYPES = ("i4", "i2", "f4", "i4", "f8", "f8", "i2")

    @classmethod
    def from_prices(cls, lines: Sequence[LineKey], fair: FairPrices) -> FairPriceBatch:
        """The known fair prices of `lines`, which are in the order of `fair`."""
        known = np.flatnonzero(~np.isnan(fair.probability).any(axis=0))
        n, keys = len(fair.probability), [lines[i] for i in known.tolist()]
        outcomes = [outcome for key in keys for outcome in OUTCOME_IDS[key.market]]
        columns = (
            *(np.repeat(np.array(column), n) for column in zip(*keys, strict=True)),
            outcomes,
            fair.probability[:, known].T.ravel(),
            fair.log_odds_error[:, known].T.ravel(),
            fair.consensus.books[known].repeat(n),
        )
        return cls(*(np.asarray(c, t) for c, t in zip(columns, cls.DTYPES, strict=True))) if keys else cls.empty()


@dataclass(frozen=True, slots=True, eq=False)
class OutlyingBookBatch(ColumnBatch):
    """Books too far from the others to count on a line (`ml.market.pooling`), one row per line and book."""

    event: NDArray[np.int32]
    market: NDArray[np.int16]
    point: NDArray[np.float32]
    book: NDArray[np.int16]

    DTYPES = ("i4", "i2", "f4", "i2")

    @classmethod
    def from_prices(cls, lines: Sequence[LineKey], book_ids: NDArray[np.int64], fair: FairPrices) -> OutlyingBookBatch:
        """The outlying books of `lines`, which are in the order of `fair`; `book_ids` (B,) are those of its columns."""
        at, column = fair.consensus.outlying_books.nonzero()
        return cls.from_rows((*lines[i], book) for i, book in zip(at.tolist(), book_ids[column].tolist(), strict=True))


class StatedFairPrices(NamedTuple):
    """What a scorer states of all lines on offer: their fair prices, and the books that it takes for outlying."""

    prices: FairPriceBatch
    outlying: OutlyingBookBatch


class FairPriceProvider(Protocol):
    """Supplies fair prices.

    `stays_within_books`: a fair probability never leaves the range of the books' own on the line, or on its ladder
    where the market has points. Only then may the scorer skip lines on which no book's fair probability could make a
    price a candidate (`ml.scoring.prefilter`).
    """

    @property
    def stays_within_books(self) -> bool:
        """Whether fair probabilities stay within the books' own."""

    def price_lines(self, lines: LineView, books: BookProfiles, now: Micros, rules: ScoringRules) -> FairPrices:
        """The fair prices of `lines` at `now`."""


@dataclass(frozen=True, slots=True)
class ConsensusProvider:
    """The consensus of the books; `point_models` translate prices from other points of the market."""

    point_models: Mapping[Market, PointModel]
    stays_within_books: bool = True

    def price_lines(self, lines: LineView, books: BookProfiles, now: Micros, rules: ScoringRules) -> FairPrices:
        """Pool the books whose prices are fresh and whose booksum is not implausibly low.

        Where too few are fresh, stale ones are pooled too, so that the candidates they would have given are counted as
        stale; they raise no alert.
        """
        buckets = staleness_buckets(lines.confirmed_at, now, rules)
        fresh = is_fresh(buckets)
        sound = (lines.booksum >= rules.min_booksum) | np.isnan(lines.price).all(axis=0)
        fair_log_odds, translation_variance = _with_other_points(lines, fresh & sound, books.weight, self.point_models)
        # products are faster than `np.where`
        weight = (~np.isnan(fair_log_odds[0]) & sound) * books.weight
        partly = np.flatnonzero(~fresh.all(axis=1))
        if partly.size:
            young = weight[partly] * fresh[partly]
            enough = merge_clones(young, books.clone_groups).sources >= rules.min_books
            weight[partly[enough]] = young[enough]
        steps = buckets.astype(np.intp)
        variance = translation_variance + staleness_variance(steps, rules)
        pooled = pool(fair_log_odds, weight * bucket_weights(steps), groups=books.clone_groups, variance=variance)
        fresh_sources = pooled.books
        if partly.size:
            fresh_sources = fresh_sources.copy()
            fresh_sources[partly] = merge_clones(pooled.weight[partly] * fresh[partly], books.clone_groups).sources
        return FairPrices(
            pooled.probability, pooled.log_odds_error, pooled, fair_log_odds, variance, fresh_sources, buckets
        )


@dataclass(frozen=True, slots=True)
class ReferenceProvider:
    """The de-vigged prices of the book with the greatest weight, to the bit; their errors are the consensus's."""

    stays_within_books: bool = True

    def price_lines(self, lines: LineView, books: BookProfiles, now: Micros, rules: ScoringRules) -> FairPrices:
        """De-vig the reference's prices by `rules.method`; a line that it does not price completely stays unknown."""
        fair = ConsensusProvider({}).price_lines(lines, books, now, rules)
        prices = lines.price[:, :, np.argmax(books.weight)].T
        return replace(fair, probability=devig(prices, rules.method).probabilities.T)


def consensus_for(sport: str) -> ConsensusProvider:
    """The consensus provider for a sport key, with the point models of that sport."""
    return ConsensusProvider(point_models_for(sport))


def _with_other_points(
    lines: LineView, counts: Mask, weight: Array, point_models: Mapping[Market, PointModel]
) -> tuple[Array, Array]:
    """The books' fair log-odds (n, L, B), translated from other points where missing, and the added variance (L, B).

    Only prices that `counts` marks (L, B), of books with a `weight` (B,), are translated.
    """
    fair_log_odds, variance = lines.fair_log_odds, np.zeros(lines.booksum.shape)
    for market, model in point_models.items():
        [some] = (lines.market == int(market)).nonzero()
        if not (np.bincount(lines.ladder[some]) > 1).any():
            continue
        their_weight = counts[some] * weight
        theirs = np.where(their_weight > 0, lines.fair_log_odds[0, some], np.nan)
        translated = translate_points(model, lines.ladder[some], lines.threshold()[some], theirs, their_weight)
        fair_log_odds = fair_log_odds.copy() if fair_log_odds is lines.fair_log_odds else fair_log_odds
        added = np.where(np.isnan(fair_log_odds[0, some]), translated.fair_log_odds, fair_log_odds[0, some])
        fair_log_odds[:, some] = added, -added
        variance[some] = translated.variance
    return fair_log_odds, variance
