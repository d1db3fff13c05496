"""Arbitrages, middles, limited and rounded stakes of 10,000 markets x 60 books, against straightforward loops.

The loops take a sample of the markets and are scaled up; what they find is compared with what the arrays give.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ml.arbitrage import (
    StakeLimits,
    best_pairs,
    best_stakes,
    find_arbitrage,
    find_compatible_arbitrage,
    low_hold,
    round_stakes,
    size_limited_arbitrage,
)
from ml.settlement import Period, SettlementRules
from tests.benchmarks.report import REPORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MARKETS, BOOKS = 10_000, 60
SAMPLE = 200
REPEATS = 5
LOW, NUMBERS = 20, 60


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The quickest of a number of runs: the machine is shared."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def report(name: str, ours: float, loop: float, peer: str = "the loop", markets: int = MARKETS) -> None:
    REPORT.figure(name, markets / ours, "markets/s", loop / ours, peer)


def market_prices() -> tuple[Array, Array]:
    """1X2 prices (L, B, 3), 5% over round, books 1.7% apart; commission (B,) at three exchanges."""
    rng = np.random.default_rng(11)
    fair = rng.dirichlet([8.0, 5.0, 6.0], (MARKETS, 1)) * 1.05
    prices = 1 / np.clip(fair * np.exp(rng.normal(0, 0.017, (MARKETS, BOOKS, 3))), 0.005, 0.98)
    prices[rng.random((MARKETS, BOOKS)) < 0.15] = np.nan
    return prices, np.where(np.arange(BOOKS) < 3, 0.02, 0.0)


def loop_arbitrage(prices: list[list[list[float]]], commission: list[float]) -> list[float]:
    """Guaranteed returns the way one would write them for one market."""
    returns = []
    for market in prices:
        cost = 0.0
        for outcome in range(len(market[0])):
            best = 0.0
            for book, row in enumerate(market):
                net = 1 + (row[outcome] - 1) * (1 - commission[book])
                best = max(best, net)  # false for NaN
            cost += 1 / best
        returns.append(1 / cost - 1)
    return returns


def test_arbitrage_of_all_books() -> None:
    prices, commission = market_prices()
    rows, charged = prices[:SAMPLE].tolist(), commission.tolist()
    loop = seconds(lambda: loop_arbitrage(rows, charged)) * MARKETS / SAMPLE
    sure = find_arbitrage(prices, commission=commission)
    np.testing.assert_allclose(sure.guaranteed_return[:SAMPLE], loop_arbitrage(rows, charged), atol=1e-12)
    rules = [SettlementRules(Period.OVERTIME if book % 5 else Period.REGULATION) for book in range(BOOKS)]
    found = np.count_nonzero(sure.guaranteed_return > 0)
    REPORT.note(f"{MARKETS:,} three-way markets x {BOOKS} books, {found:,} arbitrages; the loop: {loop:.2f} s")
    report("arbitrage", seconds(lambda: find_arbitrage(prices)), loop)
    report("arbitrage, commissions", seconds(lambda: find_arbitrage(prices, commission=commission)), loop)
    report("arbitrage, two sets of rules", seconds(lambda: find_compatible_arbitrage(prices, rules)), loop)
    report("hold, of all and of every book", seconds(lambda: low_hold(prices)), loop)


def test_limited_stakes() -> None:
    prices, _ = market_prices()
    limit = np.random.default_rng(12).choice([25.0, 100.0, 500.0], prices.shape)
    sized = size_limited_arbitrage(prices, limit, 1_000.0)
    lines = np.flatnonzero(sized.total)[:20]

    def solve() -> list[float]:
        profits = []
        for line in lines:
            offered = ~np.isnan(prices[line]).ravel()
            won = np.tile(np.eye(3), (1, BOOKS))[:, offered] > 0
            profit = np.where(won, prices[line].ravel()[offered] - 1, -1.0)
            largest = limit[line].ravel()[offered]
            zeros = np.zeros(len(largest))
            profits.append(best_stakes(profit, 1_000.0, StakeLimits(zeros, largest, zeros)).guaranteed_profit)
        return profits

    np.testing.assert_allclose(solve(), sized.guaranteed_profit[lines], atol=1e-4)
    each = seconds(solve, 1) / len(lines)
    count = np.count_nonzero(sized.total)
    REPORT.note(f"{count:,} arbitrages in {MARKETS:,} markets; the linear programme: {each * 1e3:.1f} ms each")
    ours = seconds(lambda: size_limited_arbitrage(prices, limit, 1_000.0))
    report("stakes under limits, closed form", ours, each * count, "the linear programme")
    whole_units(find_arbitrage(prices).price)


def whole_units(best: Array) -> None:
    """Stakes of 5 to 500 in whole units, 1,000 in all, against the integer programme."""
    found = round_stakes(best, 1_000.0, 1.0, 5.0, 500.0)
    some = np.flatnonzero(found.total)[:10]
    limits = StakeLimits(*(np.full(3, x) for x in (5.0, 500.0, 1.0)))

    def solve() -> list[float]:
        profits = (np.where(np.eye(3) > 0, prices - 1, -1.0) for prices in best[some])
        return [best_stakes(profit, 1_000.0, limits).guaranteed_profit for profit in profits]

    np.testing.assert_allclose(solve(), found.guaranteed_profit[some], atol=1e-3)
    each = seconds(solve, 1) / len(some)
    count = np.count_nonzero(found.total)
    REPORT.note(f"{count:,} profitable in whole units of 5 to 500, {np.count_nonzero(~found.exact)} not proven exact")
    ours = seconds(lambda: round_stakes(best, 1_000.0, 1.0, 5.0, 500.0), 2)
    report("stakes in whole units", ours, each * count, "the integer programme")


def loop_middle(row: tuple[list[float], ...], cells: list[float]) -> float:
    """The best expected value of one market's pairs, half points only."""
    over, over_at, under, under_at = row
    best = -1.0
    above = [sum(p for x, p in enumerate(cells, LOW) if x > t) for t in over_at]
    below = [sum(p for x, p in enumerate(cells, LOW) if x < t) for t in under_at]
    for i, o in enumerate(over):
        for j, u in enumerate(under):
            if over_at[i] <= under_at[j]:
                best = max(best, (above[i] + below[j]) * o * u / (o + u) - 1)
    return best


def test_middles() -> None:
    rng = np.random.default_rng(13)
    x = np.arange(LOW, LOW + NUMBERS)
    mean = rng.uniform(40, 50, (MARKETS, 1))
    cells = np.exp(-0.5 * ((x - mean) / 10) ** 2)
    cells /= cells.sum(axis=1, keepdims=True)
    at = np.round(mean + rng.normal(0, 0.8, (MARKETS, BOOKS))) + 0.5
    over, under = rng.uniform(1.83, 1.98, (2, MARKETS, BOOKS))
    columns = (over, at, under, at)
    rows = [tuple(column[i].tolist() for column in columns) for i in range(SAMPLE // 4)]
    loop = seconds(lambda: [loop_middle(row, cells[i].tolist()) for i, row in enumerate(rows)], 2) * MARKETS / len(rows)
    found = best_pairs(*columns, pmf=cells, low=LOW).value.expected_value[:, 0]
    expected = [loop_middle(row, cells[i].tolist()) for i, row in enumerate(rows)]
    np.testing.assert_allclose(found[: len(rows)], expected, atol=1e-9)
    REPORT.note(f"{MARKETS:,} totals x {BOOKS} overs x {BOOKS} unders; the loop: {loop:.1f} s")
    report("best middle", seconds(lambda: best_pairs(*columns, pmf=cells, low=LOW)), loop)
