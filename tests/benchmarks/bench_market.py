"""Markets per second on one core: de-vig beside the compiled `shin`, consensus and arbitrage of 40 books."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import shin

from ml.arbitrage import arbitrage
from ml.market import DevigMethod, consensus, devig

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MARKETS = 10_000
LINES, BOOKS = 1_000, 40
REPEATS = 15


def three_way(*shape: int) -> NDArray[np.float64]:
    """Prices of 1X2 markets, 3% over round, longshots included."""
    fair = np.random.default_rng(7).dirichlet([4.0, 2.5, 3.0], shape)
    return 1 / np.clip(fair**0.97 * 1.03, 0.002, 0.995)


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The quickest of a number of runs: the machine is shared."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def test_devig() -> None:
    prices = three_way(MARKETS)
    rows = prices.tolist()
    rust = seconds(lambda: [shin.calculate_implied_probabilities(row) for row in rows], 3)
    print(f"\n{MARKETS:,} three-way markets; shin (Rust, a loop): {MARKETS / rust / 1e6:.3f} M markets/s")
    for method in DevigMethod:
        ours = seconds(lambda method=method: devig(prices, method))  # type: ignore[misc]
        print(f"{method:>15}: {MARKETS / ours / 1e6:6.2f} M markets/s, {rust / ours:6.1f} x shin")


def test_consensus_and_arbitrage() -> None:
    prices, weights = three_way(LINES, BOOKS), np.ones((LINES, BOOKS))
    pooled = seconds(lambda: consensus(prices, weights))
    sure = seconds(lambda: arbitrage(prices))
    print(f"\n{LINES:,} three-way lines x {BOOKS} books")
    for name, taken in (("consensus, 4 methods", pooled), ("arbitrage", sure)):
        print(f"{name:>21}: {LINES / taken:10,.0f} lines/s, {prices.size / taken / 1e6:6.2f} M prices/s")
