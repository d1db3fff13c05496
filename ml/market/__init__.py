"""What the market says an outcome is worth: de-vig, consensus, value; all vectorised."""

from ml.market.consensus import Consensus, consensus
from ml.market.devig import (
    FORMULA_METHODS,
    PLAIN_METHODS,
    Devigged,
    DevigMethod,
    DevigStatus,
    blend,
    devig,
    devig_each,
    worst_case,
)
from ml.market.value import confidence, edge, expected_value

__all__ = [
    "FORMULA_METHODS",
    "PLAIN_METHODS",
    "Consensus",
    "DevigMethod",
    "DevigStatus",
    "Devigged",
    "blend",
    "confidence",
    "consensus",
    "devig",
    "devig_each",
    "edge",
    "expected_value",
    "worst_case",
]
