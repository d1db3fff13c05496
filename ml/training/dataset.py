"""Training sets: lines of events with their features, the market's price, the close and the result."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from ml.arrays import complete_rows
from ml.features.assembly import build_features
from ml.features.prices import Base, base_of
from ml.features.registry import FeatureTable
from ml.quotes import MICROS_PER_DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.features.market_view import MarketView
    from ml.features.registry import Feature
    from ml.features.teams import TeamSource
    from ml.quotes import Market

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Lines (N,) of one sport group and market with n outcomes, in the order of their starts; times in microseconds.

    `date` (N,) is the day of the start, by which results cluster; `decided_at` when the prices were on offer and
    `known_at` when the result was known. `features` (N, n, F), NaN where missing (`declared`). Probabilities (N, n):
    `market` the base's fair one when decided, `close` the fair closing one on the same line, NaN where there is none.
    `price` (N, n) is the best on offer when decided. `won` (N, n) is 1 for the winning outcome, NaN if the result is
    unknown or all stakes came back; `at_risk` (N,) is the share of a stake that did not come back (1/2 of half a win).
    `has_reference` (N,) is whether the sharp book had a price when decided.
    """

    market_key: Market
    base: Base
    reference: str
    declared: tuple[Feature, ...]
    event: NDArray[np.int32]
    start: NDArray[np.int64]
    decided_at: NDArray[np.int64]
    known_at: NDArray[np.int64]
    date: NDArray[np.int64]
    league: NDArray[np.int32]
    season: NDArray[np.int32]
    point: Array
    features: NDArray[np.float32]
    market: Array
    close: Array
    price: Array
    won: Array
    at_risk: Array
    has_reference: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TrainingSet:
        """The lines `rows`, by a mask or an index."""
        columns = (field.name for field in fields(self)[4:])
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    @property
    def table(self) -> FeatureTable:
        """The features with their declarations."""
        return FeatureTable(self.declared, self.features)


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of the events of a view (E,): for training and evaluation only.

    `reference_close` and `average_close` (E, n) are the sharp book's and the average price's fair closing probabilities
    on the view's lines, NaN where there are none; `won` and `at_risk` as in `TrainingSet`.
    """

    event: NDArray[np.int32]
    league: NDArray[np.int32]
    season: NDArray[np.int32]
    known_at: NDArray[np.int64]
    reference_close: Array
    average_close: Array
    won: Array
    at_risk: Array


def build_training_set(view: MarketView, outcomes: Outcomes, base: Base, teams: TeamSource) -> TrainingSet:
    """The lines that the base prices, oldest first. The close is the reference's, where it has none the average's."""
    market = base_of(view, base)
    close = outcomes.reference_close
    if base is Base.AVERAGE:
        close = np.where(np.isnan(close), outcomes.average_close, close)
    features = build_features(view, base, teams)
    lines = TrainingSet(
        view.market, base, view.reference, features.features, outcomes.event, view.start, view.at, outcomes.known_at,
        view.start // MICROS_PER_DAY, outcomes.league, outcomes.season, view.point, features.values, market, close,
        view.best, outcomes.won, outcomes.at_risk, complete_rows(view.fair_reference),
    )  # fmt: skip
    order = np.argsort(view.start, kind="stable")
    return lines.take(order[complete_rows(market[order])])
