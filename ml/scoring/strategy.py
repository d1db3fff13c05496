"""What to bet on and how much: a strategy requests stakes, the risk controls decide what it gets.

The live scorer, a ledger and a backtest run the same strategy; the portfolio states the bankroll.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ml.arrays import nonzero_cells
from ml.market import edge, expected_value
from ml.staking import StakeRequests, kelly_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arrays import Cells
    from ml.scoring.fair_prices import FairPrices

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The `bankroll` from which bets are staked, and its `peak`, in the same currency."""

    bankroll: float = 1.0
    peak: float = 1.0


class ValuedBets(NamedTuple):
    """Bets (J,): fair probability, its standard error, decimal price after commission."""

    fair_probability: Array
    standard_error: Array
    price: Array


class WantedStakes(NamedTuple):
    """The `stakes` (J,) that a strategy requests, as shares of the bankroll, and the input of the risk controls."""

    stakes: Array
    requests: StakeRequests


class Strategy(Protocol):
    """Chooses candidates and requests stakes.

    No candidate has an edge below `min_edge`, so lines that cannot reach it need no fair price.
    """

    @property
    def min_edge(self) -> float:
        """The smallest edge of a candidate."""

    def find_candidates(self, fair: FairPrices, price: Array) -> Cells:
        """The cells of `price` (n, L, B), after commission, to bet on; the rules may still suppress the alert."""

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        """The stakes that it would place on `bets`."""


@dataclass(frozen=True, slots=True)
class ExpectedValueThreshold:
    """Bets the same stake on every price whose expected value exceeds `min_expected_value` (>= 0)."""

    min_expected_value: float

    @property
    def min_edge(self) -> float:
        """A positive expected value is a positive edge; how large an edge depends on the price."""
        return 0.0

    def find_candidates(self, fair: FairPrices, price: Array) -> Cells:
        """Prices whose expected value exceeds the threshold."""
        return nonzero_cells(expected_value(fair.probability[..., None], price) > self.min_expected_value)

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        """One stake of the whole bankroll each: returns are per unit staked, and bets do not share a bankroll."""
        return WantedStakes(np.ones_like(bets.price), _independent_requests(bets, portfolio))


@dataclass(frozen=True, slots=True)
class EdgeThreshold:
    """Bets the Kelly stake on every price with an edge of at least `min_edge`, each bet on its own."""

    min_edge: float

    def find_candidates(self, fair: FairPrices, price: Array) -> Cells:
        """Prices whose edge reaches the threshold; a price of at most 1 or of infinity is a fault of the feed."""
        cells = nonzero_cells(edge(fair.probability[..., None], price) >= self.min_edge)
        possible = (price[cells] > 1) & (price[cells] < np.inf)
        return tuple(c[possible] for c in cells)

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        """Kelly stakes; bets share no limits, since only a ledger knows what is already at risk."""
        return WantedStakes(kelly_fraction(bets.fair_probability, bets.price), _independent_requests(bets, portfolio))


def _independent_requests(bets: ValuedBets, portfolio: Portfolio) -> StakeRequests:
    return StakeRequests(
        bets.price, bets.standard_error, event=None, league=None, book=None, day=None, at_risk={},
        bankroll=portfolio.bankroll, peak=portfolio.peak,
    )  # fmt: skip
