"""What the market says an outcome is worth: de-vig, consensus, value and arbitrage, as vectorised functions."""

from ml.market.arbitrage import Arbitrage, arbitrage
from ml.market.consensus import Consensus, consensus
from ml.market.devig import Devigged, DevigMethod, DevigStatus, devig
from ml.market.value import confidence, edge, expected_value

__all__ = [
    "Arbitrage",
    "Consensus",
    "DevigMethod",
    "DevigStatus",
    "Devigged",
    "arbitrage",
    "confidence",
    "consensus",
    "devig",
    "edge",
    "expected_value",
]
