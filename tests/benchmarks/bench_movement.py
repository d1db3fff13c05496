"""Polls per second through the movement watch, quiet and busy, and what it remembers of a market."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ml.movement import MovementDetector
from ml.quotes import (
    MARKET_OUTCOMES,
    MICROS_PER_SECOND,
    EventStarts,
    Market,
    MarketConfirmations,
    PollChanges,
    QuoteBatch,
)
from tests.benchmarks.report import REPORT

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVENTS, BOOKS, POLLS, CHANGED = 100, 40, 60, 800
MARKETS = (Market.H2H, Market.SPREADS, Market.TOTALS)
SECOND = MICROS_PER_SECOND


def keys() -> NDArray[np.int64]:
    """Every (event, book, market) (k, 3)."""
    grid = np.meshgrid(np.arange(1, EVENTS + 1), np.arange(1, BOOKS + 1), MARKETS, indexing="ij")
    return np.stack([g.ravel() for g in grid], axis=1)


def poll(number: int, lines: NDArray[np.int64], log_odds: NDArray[np.float64], which: NDArray[np.intp]) -> PollChanges:
    """Both sides of the lines `which`, and the confirmation of all."""
    now = (1_000 + 15 * number) * SECOND
    rows = []
    for e, b, market in lines[which].tolist():
        rows += [
            (e, b, market, int(o), 0.0 if market != Market.H2H else np.nan, 0.0, now)
            for o in MARKET_OUTCOMES[Market(market)]
        ]
    quotes = QuoteBatch.from_rows(rows)
    quotes.price[0::2], quotes.price[1::2] = 0.96 * (1 + np.exp([-log_odds[which], log_odds[which]]))
    event, book, market = lines.T
    at = np.full(len(lines), now)
    times = MarketConfirmations(event.astype(np.int32), book.astype(np.int16), market.astype(np.int16), at)
    starts = EventStarts.from_rows((e, 10**9 * SECOND) for e in range(1, EVENTS + 1))
    return PollChanges(number, "bench", now, now, "bench", quotes, times, starts)


def test_polls() -> None:
    rng, lines = np.random.default_rng(7), keys()
    log_odds = np.zeros(len(lines))
    watch = MovementDetector()
    watch.apply_poll(poll(0, lines, log_odds, np.arange(len(lines))))
    REPORT.note(f"{EVENTS} events x {len(MARKETS)} markets x {BOOKS} books; {POLLS} polls each")
    number = 0
    for changed in (0, CHANGED // 2, len(lines)):
        polls = []
        for _ in range(POLLS):
            number += 1
            which = rng.choice(len(lines), changed, replace=False)
            log_odds[which] += rng.normal(0, 0.05, changed)
            polls.append(poll(number, lines, log_odds, which))
        start = time.perf_counter()
        movements = sum(len(watch.apply_poll(p)) for p in polls)
        taken = (time.perf_counter() - start) / POLLS
        REPORT.figure(f"a poll of {2 * changed:,} changed prices", taken * 1e3, "ms")
        REPORT.note(f"{movements / POLLS:.1f} movements a poll")
    REPORT.figure("memory", watch.nbytes / (EVENTS * len(MARKETS)) / 1e3, "kB a market")
