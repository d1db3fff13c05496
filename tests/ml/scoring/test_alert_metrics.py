"""`AlertMetrics` declares an alert's metrics; what computes them in columns has the same."""

from __future__ import annotations

from ml.scoring.alert_metrics import METRIC_FIELDS
from ml.scoring.alerts import AlertMetrics

ARBITRAGE_ONLY = {"rules", "legs"}


def test_the_columns_of_prices_are_those_that_are_declared() -> None:
    assert set(METRIC_FIELDS) == set(AlertMetrics.__struct_fields__) - ARBITRAGE_ONLY
