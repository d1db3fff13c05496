"""What the market says an outcome is worth: de-vig, consensus, value; all vectorised."""

from ml.market.consensus import Consensus, consensus
from ml.market.devig import PLAIN_METHODS, Devigged, DevigMethod, DevigStatus, devig
from ml.market.value import confidence, edge, expected_value

__all__ = [
    "PLAIN_METHODS",
    "Consensus",
    "DevigMethod",
    "DevigStatus",
    "Devigged",
    "confidence",
    "consensus",
    "devig",
    "edge",
    "expected_value",
]
