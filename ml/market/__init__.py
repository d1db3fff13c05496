"""De-vigging, consensus and value of prices; all vectorised."""

from ml.market.consensus import Consensus, add_method_uncertainty, consensus, pool_by_method
from ml.market.devig import (
    FORMULA_METHODS,
    PLAIN_METHODS,
    DevigMethod,
    DevigResult,
    DevigStatus,
    blend,
    devig,
    devig_by_method,
    worst_case,
)
from ml.market.pooling import Pool, pool, to_log_odds
from ml.market.value import (
    confidence,
    edge,
    expected_value,
    hold,
    market_width,
    probability_of_value,
    probability_standard_error,
    rank_by_value,
    value_interval,
)
from ml.market.weights import CloneGroups, freshness_weight, group_clones, liquidity_weight, merge_clones

__all__ = [
    "FORMULA_METHODS",
    "PLAIN_METHODS",
    "CloneGroups",
    "Consensus",
    "DevigMethod",
    "DevigResult",
    "DevigStatus",
    "Pool",
    "add_method_uncertainty",
    "blend",
    "confidence",
    "consensus",
    "devig",
    "devig_by_method",
    "edge",
    "expected_value",
    "freshness_weight",
    "group_clones",
    "hold",
    "liquidity_weight",
    "market_width",
    "merge_clones",
    "pool",
    "pool_by_method",
    "probability_of_value",
    "probability_standard_error",
    "rank_by_value",
    "to_log_odds",
    "value_interval",
    "worst_case",
]
