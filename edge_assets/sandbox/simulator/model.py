"""The distributions of margin and total that follow from a state of news, and so every probability.

Each side's score is a normal variable rounded to whole points and truncated at zero; the two are independent except for
the league's key numbers. Margin and total derive from one joint distribution, so all markets of an event are
consistent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import erf, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.sandbox.simulator.leagues import SimulatedLeague

MAX_DEVIATIONS = 5.0
"""Standard deviations beyond which a score is not considered."""


class BetProbabilities(NamedTuple):
    """Probability that a bet wins, and that its stake is returned."""

    win: float
    push: float

    @property
    def win_if_decided(self) -> float:
        """Probability to win, given that the bet is not a push: what a two-way price expresses."""
        return self.win / (1 - self.push)


class NewsState(NamedTuple):
    """What is known of an event: each side's expected points, and the remaining standard deviation."""

    home: float
    away: float
    deviation: float


@dataclass(frozen=True, eq=False)
class ScoreDistribution:
    """Probabilities `p` of the integers from `low` on. Caches results, as books quote the same lines."""

    low: int
    p: NDArray[np.float64]
    _cache: dict[float, BetProbabilities] = field(default_factory=dict)

    def probability_above(self, line: float) -> BetProbabilities:
        """The probabilities to end above `line`, and on it."""
        if line not in self._cache:
            values = self.low + np.arange(len(self.p))
            self._cache[line] = BetProbabilities(
                float(self.p[values > line].sum()), float(self.p[values == line].sum())
            )
        return self._cache[line]

    @cached_property
    def median(self) -> float:
        """The median, interpolated between integers."""
        cumulated = np.cumsum(self.p)
        return float(np.interp(0.5, cumulated, self.low + np.arange(len(self.p)) + 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class EventDistributions:
    """The distributions of the margin after regulation and at the end, and of the total."""

    regulation: ScoreDistribution
    final: ScoreDistribution
    total: ScoreDistribution


@lru_cache(maxsize=8_192)
def compute_distributions(state: NewsState, league: SimulatedLeague) -> EventDistributions:
    """The distributions for a state; with overtime, the final margin is the regulation margin without ties."""
    low_home, home = _score_distribution(state.home, state.deviation)
    low_away, away = _score_distribution(state.away, state.deviation)
    low = low_home - (low_away + len(away) - 1)
    rows, columns = np.ogrid[: len(home), : len(away)]
    at = rows - columns + (len(away) - 1)
    joint: NDArray[np.float64] = home[:, None] * away
    for number, times in league.key_numbers:
        joint[np.abs(at + low) == number] *= times
    joint /= joint.sum()
    margin = _sum_by_index(at, joint)
    final_margin = margin.copy()
    if not league.three_way:
        final_margin[-low] = 0.0
        final_margin /= final_margin.sum()
    return EventDistributions(
        ScoreDistribution(low, margin),
        ScoreDistribution(low, final_margin),
        ScoreDistribution(low_home + low_away, _sum_by_index(rows + columns, joint)),
    )


def _sum_by_index(places: NDArray[np.intp], joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the joint distribution at each index."""
    return np.asarray(np.bincount(places.ravel(), weights=joint.ravel()), np.float64)


def _score_distribution(mean: float, deviation: float) -> tuple[int, NDArray[np.float64]]:
    """One side's score: the lowest value considered, and the probabilities from there on."""
    low = max(0, int(mean - MAX_DEVIATIONS * deviation))
    high = int(mean + MAX_DEVIATIONS * deviation) + 1
    edges = (np.arange(low, high) + 0.5 - mean) / (deviation * sqrt(2))
    cumulated = np.array([0.0, *(0.5 * (1 + erf(e)) for e in edges), 1.0])
    return low, np.diff(cumulated)
