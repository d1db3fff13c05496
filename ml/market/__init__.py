"""What the market says an outcome is worth: de-vig, consensus, value, arbitrage; all vectorised."""

from ml.market.arbitrage import NO_BOOK, Arbitrage, arbitrage
from ml.market.consensus import Consensus, consensus
from ml.market.devig import PLAIN_METHODS, Devigged, DevigMethod, DevigStatus, devig
from ml.market.value import confidence, edge, expected_value

__all__ = [
    "NO_BOOK",
    "PLAIN_METHODS",
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
