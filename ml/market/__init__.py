"""What the market says an outcome is worth: de-vig, consensus, value; all vectorised."""

from ml.market.consensus import Consensus, consensus, pool_each, with_methods
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
from ml.market.pooling import Pool, log_odds, pool
from ml.market.value import (
    confidence,
    edge,
    expected_value,
    hold,
    market_width,
    probability_error,
    probability_of_value,
    ranking,
    value_interval,
)
from ml.market.weights import Clones, clones, freshness, liquidity, merged

__all__ = [
    "FORMULA_METHODS",
    "PLAIN_METHODS",
    "Clones",
    "Consensus",
    "DevigMethod",
    "DevigStatus",
    "Devigged",
    "Pool",
    "blend",
    "clones",
    "confidence",
    "consensus",
    "devig",
    "devig_each",
    "edge",
    "expected_value",
    "freshness",
    "hold",
    "liquidity",
    "log_odds",
    "market_width",
    "merged",
    "pool",
    "pool_each",
    "probability_error",
    "probability_of_value",
    "ranking",
    "value_interval",
    "with_methods",
    "worst_case",
]
