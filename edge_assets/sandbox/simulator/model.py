"""What a state of knowledge implies: the distributions of margin and total, and with them every probability.

Each side's score is a normal variable rounded to whole points and cut off at zero; the two are independent but for a
league's key numbers. The distributions of margin and total are sums of their joint one: all markets of an event agree.
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
        """Probability to win, given that the bet is decided: what a two-way price can express."""
        return self.win / (1 - self.push)


class NewsState(NamedTuple):
    """What is known of an event: each side's expected score, and the deviation that is left."""

    home: float
    away: float
    deviation: float


@dataclass(frozen=True, eq=False)
class ScoreDistribution:
    """Probabilities `p` of the whole numbers from `low` on. What it was asked for it remembers: books ask alike."""

    low: int
    p: NDArray[np.float64]
    _cache: dict[float, BetProbabilities] = field(default_factory=dict)

    def probability_above(self, line: float) -> BetProbabilities:
        """The chance to end above `line`, and on it."""
        if line not in self._cache:
            values = self.low + np.arange(len(self.p))
            self._cache[line] = BetProbabilities(
                float(self.p[values > line].sum()), float(self.p[values == line].sum())
            )
        return self._cache[line]

    @cached_property
    def median(self) -> float:
        """Where half of the probability is reached, between whole numbers."""
        cumulated = np.cumsum(self.p)
        return float(np.interp(0.5, cumulated, self.low + np.arange(len(self.p)) + 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class EventDistributions:
    """Everything that a state of knowledge implies: margin in regulation and at the end, and the total."""

    regulation: ScoreDistribution
    final: ScoreDistribution
    total: ScoreDistribution


@lru_cache(maxsize=8_192)
def compute_distributions(state: NewsState, league: SimulatedLeague) -> EventDistributions:
    """The outlook of a state; where ties are played on, the final margin is the regulation margin without them."""
    low_home, home = _score_distribution(state.home, state.deviation)
    low_away, away = _score_distribution(state.away, state.deviation)
    low = low_home - (low_away + len(away) - 1)
    rows, columns = np.ogrid[: len(home), : len(away)]
    at = rows - columns + (len(away) - 1)
    joint: NDArray[np.float64] = home[:, None] * away
    for number, times in league.key_numbers:
        joint[np.abs(at + low) == number] *= times
    joint /= joint.sum()
    margin = _sum_by_place(at, joint)
    final_margin = margin.copy()
    if not league.three_way:
        final_margin[-low] = 0.0
        final_margin /= final_margin.sum()
    return EventDistributions(
        ScoreDistribution(low, margin),
        ScoreDistribution(low, final_margin),
        ScoreDistribution(low_home + low_away, _sum_by_place(rows + columns, joint)),
    )


def _sum_by_place(places: NDArray[np.intp], joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the joint distribution has at each place."""
    return np.asarray(np.bincount(places.ravel(), weights=joint.ravel()), np.float64)


def _score_distribution(mean: float, deviation: float) -> tuple[int, NDArray[np.float64]]:
    """One side's score: its lowest value considered and the probabilities from there on."""
    low = max(0, int(mean - MAX_DEVIATIONS * deviation))
    high = int(mean + MAX_DEVIATIONS * deviation) + 1
    edges = (np.arange(low, high) + 0.5 - mean) / (deviation * sqrt(2))
    cumulated = np.array([0.0, *(0.5 * (1 + erf(e)) for e in edges), 1.0])
    return low, np.diff(cumulated)
