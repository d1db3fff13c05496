"""Markets per second on one core: de-vig against loops of other packages, consensus and arbitrage of 40 books."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from goto_conversion import goto_conversion

from ml.arbitrage import find_arbitrage
from ml.market import DevigMethod, consensus, devig
from tests.benchmarks.report import REPORT
from tests.support.peer_packages import penaltyblog_implied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    Peer = tuple[str, Callable[[Any], Any], Sequence[Any] | NDArray[np.float64]]

MARKETS = 10_000
PART = 500
"""So short that the loops of others, too, have a run without company on the shared machine."""
LINES, BOOKS = 1_000, 40
REPEATS = 15
PENALTYBLOG = (
    DevigMethod.MULTIPLICATIVE,
    DevigMethod.ADDITIVE,
    DevigMethod.POWER,
    DevigMethod.SHIN,
    DevigMethod.ODDS_RATIO,
)


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
    """The issue asks for 200 times penaltyblog's loops by power and Shin, and 15 times the Rust of `shin`."""
    prices = three_way(MARKETS)
    rows, calculate = prices.tolist(), penaltyblog_implied().calculate_implied
    rust = pytest.importorskip("shin", reason="shin has no wheel for this Python").calculate_implied_probabilities
    prudent = partial(goto_conversion, multiplicativeIfImprudentOdds=True)  # it raises on some longshots
    peers: dict[DevigMethod, list[Peer]] = {
        DevigMethod.SHIN: [("shin (Rust)", rust, rows)],
        DevigMethod.EQUAL_STANDARD_ERRORS: [("goto_conversion", prudent, prices)],
    }
    for method in PENALTYBLOG:
        peers.setdefault(method, []).append(("penaltyblog", partial(calculate, method=method.value), rows))
    REPORT.note(f"{MARKETS:,} three-way markets")
    for method in DevigMethod:
        ours = seconds(partial(devig, prices, method))
        rate = MARKETS / ours
        for name, peer_rate in peer_rates(peers.get(method, [])):
            REPORT.figure(f"de-vig, {method}", rate, "markets/s", rate / peer_rate, name)
        if method not in peers:
            REPORT.figure(f"de-vig, {method}", rate, "markets/s")


def peer_rates(peers: list[Peer]) -> Iterator[tuple[str, float]]:
    """Markets per second of each peer's loop, by the quickest of as many runs over part of the markets."""
    for name, peer, rows in peers:
        part = rows[:PART]
        yield name, PART / seconds(lambda peer=peer, part=part: list(map(peer, part)))  # type: ignore[misc]


def test_consensus_and_arbitrage() -> None:
    prices, weights = three_way(LINES, BOOKS), np.ones((LINES, BOOKS))
    pooled = seconds(lambda: consensus(prices, weights))
    sure = seconds(lambda: find_arbitrage(prices))
    REPORT.note(f"{LINES:,} three-way lines x {BOOKS} books")
    for name, taken in (("consensus, 4 methods", pooled), ("arbitrage", sure)):
        REPORT.figure(name, LINES / taken, "lines/s")
