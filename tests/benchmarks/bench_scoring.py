"""Selections valued per second by the scorer, from a poll's changes to its alerts, on one core.

A selection is one (event, market, point, outcome), valued at the prices of all books: 24, as many as the simulator
has, and 40, the heaviest payload. Target: 100,000 a second. The peer is the obvious loop: for every line that changed,
de-vig each book by the compiled `shin`, average the log-probabilities, and compare every price; without ages,
outliers, arbitrage, other methods.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shin

from edge_assets.core.clock import to_micros
from edge_assets.feeds.odds_api.diff import PayloadDiffer
from ml.quotes import PollChanges
from ml.scoring import ScoringRules, SportScorer
from ml.scoring.lines import line_key
from tests.benchmarks.market import MarketStream
from tests.benchmarks.payloads import SPORT
from tests.benchmarks.report import REPORT
from tests.support.in_memory_ids import InMemoryIdResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from ml.quotes import MarketConfirmations
    from ml.scoring.lines import LineKey

BOOKS = (24, 40)
STEPS = 60
PEER_STEPS = 4
REPEATS = 4
TARGET = 100_000
LEAST_RATIO = 2.0
"""Asserted, and generous: though the scorer does much more."""
RULES = ScoringRules()


@dataclass
class PollStream:
    """The polls of a stream of payloads."""

    stream: MarketStream

    def __post_init__(self) -> None:
        self._differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1)
        self._polls = 0

    def poll(self) -> PollChanges:
        """Poll the next payload."""
        body, self._polls = self.stream.step(), self._polls + 1
        diff, now = self._differ.diff(body, self.stream.now), to_micros(self.stream.now)
        self._differ.commit()
        return PollChanges(self._polls, SPORT, now, now, "bench", diff.quotes, diff.times, diff.starts)


class LoopScorer:
    """The obvious way: dictionaries of prices by line, book and outcome, and a loop over them."""

    def __init__(self) -> None:
        self.lines: dict[LineKey, dict[int, dict[int, float]]] = {}

    def step(self, changes: PollChanges) -> list[tuple[LineKey, int, int]]:
        """The prices above the threshold among the lines that changed."""
        touched = set()
        quotes = changes.quotes
        for event, book, market, outcome, point, price in zip(
            *(column.tolist() for column in quotes.columns()[:6]), strict=True
        ):
            key = line_key(event, market, outcome, point)
            self.lines.setdefault(key, {}).setdefault(book, {})[outcome] = price
            touched.add(key)
        return [(key, *found) for key in touched for found in self._value(self.lines[key])]

    def _value(self, books: dict[int, dict[int, float]]) -> list[tuple[int, int]]:
        logs: dict[int, list[float]] = {}
        for prices in books.values():
            fair = shin.calculate_implied_probabilities(list(prices.values()))
            for outcome, p in zip(prices, fair, strict=True):
                logs.setdefault(outcome, []).append(log(p))
        pooled = {outcome: exp(sum(values) / len(values)) for outcome, values in logs.items()}
        total = sum(pooled.values())
        return [
            (book, outcome)
            for book, prices in books.items()
            for outcome, price in prices.items()
            if pooled[outcome] / total - 1 / price >= RULES.threshold_edge
        ]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    started = time.thread_time()
    work()
    return time.thread_time() - started


def quickest(
    new: Callable[[], Callable[[PollChanges], object]],
    first: PollChanges,
    polls: list[PollChanges],
    repeats: int = REPEATS,
) -> list[float]:
    """The seconds of each step in the least disturbed of several runs: the machine is shared."""
    runs = []
    for _ in range(repeats):
        step = new()
        step(first)
        runs.append([seconds(partial(step, poll)) for poll in polls])
    return [min(times) for times in zip(*runs, strict=True)]


def selections(changes: PollChanges) -> int:
    """How many selections the changed lines of a poll have."""
    columns = changes.quotes.columns()[:5]
    lines = {line_key(e, m, o, p) for e, _, m, o, p in zip(*(c.tolist() for c in columns), strict=True)}
    return sum(3 if key.market == 2 else 2 for key in lines)


def stale(times: MarketConfirmations) -> MarketConfirmations:
    """The same markets, last confirmed at the epoch."""
    return replace(times, confirmed_at=np.zeros_like(times.confirmed_at))


@pytest.mark.parametrize("books", BOOKS)
def test_steps(books: int) -> None:
    feed = PollStream(MarketStream(books=books))
    first, polls = feed.poll(), [feed.poll() for _ in range(STEPS)]
    counts, quotes = [selections(p) for p in polls], sum(len(p.quotes) for p in polls)
    taken = quickest(lambda: SportScorer(RULES).apply_poll, first, polls)
    peer = quickest(lambda: LoopScorer().step, first, polls[:PEER_STEPS], repeats=1)
    scorer = SportScorer(RULES)
    alerts = [alert for poll in (first, *polls) for alert in scorer.apply_poll(poll).alerts]
    rate, peer_rate = sum(counts) / sum(taken), sum(counts[:PEER_STEPS]) / sum(peer)
    REPORT.note(
        f"{quotes / STEPS:.0f} changed quotes and {sum(counts) / STEPS:.0f} selections a step, {len(alerts)} alerts"
    )
    REPORT.figure("selections valued", rate, "/s", rate / peer_rate, f"the loop over shin (target {TARGET:,}/s)")
    REPORT.figure("changed quotes", quotes / sum(taken), "/s")
    REPORT.figure("one step", sum(taken) / STEPS * 1e3, "ms")
    assert alerts
    assert rate > LEAST_RATIO * peer_rate


@pytest.mark.parametrize("threshold", [RULES.threshold_edge, 0.0])
@pytest.mark.parametrize("books", BOOKS)
def test_everything_at_once(books: int, threshold: float) -> None:
    """All lines are valued when every price grows stale, and again when all are confirmed.

    Lines on which no price can exceed the threshold are not pooled (`ml.scoring.prefilter`): so also with a low one.
    """
    feed = PollStream(MarketStream(books=books, gifts=0))
    scorer = SportScorer(replace(RULES, threshold_edge=threshold))
    poll = feed.poll()
    scorer.apply_poll(poll)
    count, quiet = selections(poll), poll.quotes.take(np.empty(0, np.intp))
    pair = [replace(poll, quotes=quiet, confirmations=stale(poll.confirmations)), replace(poll, quotes=quiet)]
    taken = min(seconds(partial(scorer.apply_poll, p)) for p in pair * 8)
    REPORT.figure(f"selections valued, all {count:,} at once", count / taken, "/s")
