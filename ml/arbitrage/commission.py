"""Exchange prices as equivalent bookmaker prices: net of commission, lays turned into backs.

Arguments broadcast; prices are decimal, `commission` is the exchange's share of the market's net winnings (usually 0.02
to 0.05, 0 at bookmakers). One bet per market and exchange account is assumed: with several, winnings are netted before
commission, which is then lower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def net_price(price: Array, commission: Array | float) -> Array:
    """The payout of a winning back bet per unit staked, after commission: 1 + (price - 1)(1 - c)."""
    net: Array = 1 + (price - 1) * (1 - np.asarray(commission))
    return net


def lay_as_back(price: Array, commission: Array | float) -> Array:
    """The price at which backing "not this outcome" is the same bet as laying it at `price`.

    A lay of one risks the liability price - 1 to win 1 - c, so per unit of liability it pays
    1 + (1 - c) / (price - 1). NaN where the price does not exceed 1.
    """
    liability = np.where(price > 1, price - 1, np.nan)
    return 1 + (1 - np.asarray(commission)) / liability


def lay_stake(liability: Array, price: Array) -> Array:
    """The backer's stake to lay at `price` so that `liability` is at risk: liability / (price - 1)."""
    return liability / np.where(price > 1, price - 1, np.nan)
