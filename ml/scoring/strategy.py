"""What to bet on, and how much: a strategy asks for stakes, the risk controls decide what it gets.

The live scorer, a ledger and a backtest run the same strategy object; who holds the money is the portfolio's to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ml.arrays import nonzero_cells
from ml.market import edge
from ml.staking import StakeRequests, kelly_fraction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.arrays import Cells
    from ml.scoring.fair_prices import FairPrices

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The `bankroll` that bets are staked from and its `peak`, in one currency."""

    bankroll: float = 1.0
    peak: float = 1.0


class ValuedBets(NamedTuple):
    """Bets (J,): fair probability, its standard error, and decimal price after commission."""

    fair_probability: Array
    standard_error: Array
    price: Array


class WantedStakes(NamedTuple):
    """The `stakes` (J,) that a strategy asks for, as shares of the bankroll, and what the controls have to know."""

    stakes: Array
    requests: StakeRequests


class Strategy(Protocol):
    """Chooses candidates and asks for stakes.

    `min_edge` bounds its candidates: none has a smaller edge, so lines that cannot reach it need no fair price.
    """

    @property
    def min_edge(self) -> float:
        """The smallest edge of a candidate."""

    def find_candidates(self, fair: FairPrices, price: Array) -> Cells:
        """Where among prices (n, L, B), after commission, it would bet; the rules may still withhold an alert."""

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        """What it would stake on `bets`."""


@dataclass(frozen=True, slots=True)
class EdgeThreshold:
    """Bets on every price with an edge of at least `min_edge`, Kelly's share of the bankroll, each bet by itself."""

    min_edge: float

    def find_candidates(self, fair: FairPrices, price: Array) -> Cells:
        """Prices whose edge reaches the threshold; a price of 1 or less, or infinity, is a mistake in the feed."""
        cells = nonzero_cells(edge(fair.probability[..., None], price) >= self.min_edge)
        possible = (price[cells] > 1) & (price[cells] < np.inf)
        return tuple(c[possible] for c in cells)

    def request_stakes(self, bets: ValuedBets, portfolio: Portfolio) -> WantedStakes:
        """Kelly's stakes; bets share no limits, as only the owner of a ledger knows what is at risk already."""
        requests = StakeRequests(
            bets.price, bets.standard_error, event=None, league=None, book=None, day=None, at_risk={},
            bankroll=portfolio.bankroll, peak=portfolio.peak,
        )  # fmt: skip
        return WantedStakes(kelly_fraction(bets.fair_probability, bets.price), requests)
