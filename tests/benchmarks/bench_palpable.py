"""The cost of detecting palpable errors, compared with the consensus of the same board."""

from __future__ import annotations

import numpy as np

from ml.market import consensus
from ml.market.palpable import error_probability, palpable_features
from tests.benchmarks.bench_market import seconds, three_way
from tests.benchmarks.report import REPORT

LINES, BOOKS = 278, 24
"""20,000 prices."""


def test_candidates_among_twenty_thousand_prices() -> None:
    rng = np.random.default_rng(1)
    prices, pool = three_way(LINES, BOOKS), np.ones((LINES, BOOKS), np.bool_)
    board = seconds(lambda: consensus(prices, np.ones(pool.shape), with_method_spread=False))
    for count in (5, 50, 250):
        cells = rng.integers(0, LINES, count), rng.integers(0, BOOKS, count), rng.integers(0, 3, count)
        scored = seconds(lambda cells=cells: error_probability(palpable_features(prices, pool, cells)))  # type: ignore[misc]
        REPORT.figure(f"{count} candidates scored", scored * 1e3, "ms", scored / board, "the consensus")
