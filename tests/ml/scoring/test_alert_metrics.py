"""The columns that compute the metrics of prices match those that `AlertMetrics` declares."""

from __future__ import annotations

from ml.scoring.alert_metrics import METRIC_FIELDS
from ml.scoring.alerts import AlertMetrics

ARBITRAGE_ONLY = {"rules", "legs"}


def test_price_columns_match_the_declared_metrics() -> None:
    assert set(METRIC_FIELDS) == set(AlertMetrics.__struct_fields__) - ARBITRAGE_ONLY
