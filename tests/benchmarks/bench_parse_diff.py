"""Prices per second from payload bytes to changed rows, on one core, garbage collector on.

Target: 2.5 million, and 20 times the obvious way: pydantic models over `json`, a dictionary of last prices.
"""

from __future__ import annotations

import gc
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter

from edge_assets.feeds.odds_api.diff import PayloadDiffer
from tests.benchmarks.payloads import SPORT, START, PayloadStream
from tests.benchmarks.report import REPORT
from tests.support.in_memory_ids import InMemoryIdResolver

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 40
TARGET = 2.5e6
TARGET_RATIO = 20.0


class OutcomeModel(BaseModel):
    name: str
    price: float
    point: float | None = None
    description: str | None = None


class MarketModel(BaseModel):
    key: str
    last_update: datetime | None = None
    outcomes: list[OutcomeModel]


class BookModel(BaseModel):
    key: str
    title: str
    last_update: datetime | None = None
    markets: list[MarketModel]


class EventModel(BaseModel):
    id: str
    sport_key: str
    sport_title: str
    commence_time: datetime
    home_team: str | None
    away_team: str | None
    bookmakers: list[BookModel]


EVENTS = TypeAdapter(list[EventModel])


class PydanticDiffer:
    """The obvious way."""

    def __init__(self) -> None:
        self.last: dict[tuple[str, str, str, str, float | None], float] = {}

    def diff(self, body: bytes) -> int:
        now = {
            (event.id, book.key, market.key, outcome.name, outcome.point): outcome.price
            for event in EVENTS.validate_python(json.loads(body))
            for book in event.bookmakers
            for market in book.markets
            for outcome in market.outcomes
        }
        changed = sum(self.last.get(key) != price for key, price in now.items())
        withdrawn = len(self.last.keys() - now.keys())
        self.last = now
        return changed + withdrawn


def seconds_per_body(diff: Callable[[bytes], int], bodies: list[bytes]) -> tuple[float, int]:
    """CPU seconds of the quickest step after the first (the least disturbed one), and the rows of all."""
    diff(bodies[0])
    gc.collect()
    taken, rows = [], 0
    for body in bodies[1:]:
        started = time.thread_time()
        rows += diff(body)
        taken.append(time.thread_time() - started)
    return min(taken), rows


def test_parse_and_diff() -> None:
    assert gc.isenabled()
    stream = PayloadStream()
    bodies = [stream.body(), *(stream.step() for _ in range(STEPS))]
    differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1)

    def ours(body: bytes) -> int:
        diff = differ.diff(body, START)
        differ.commit()
        return len(diff.quotes)

    seconds, rows = seconds_per_body(ours, bodies)
    plain_bodies = bodies[:6]
    plain_seconds, _ = seconds_per_body(PydanticDiffer().diff, plain_bodies)
    rate, plain_rate = stream.prices / seconds, stream.prices / plain_seconds
    REPORT.note(f"payload {len(bodies[0]) / 1e6:.2f} MB, {stream.prices} prices, {rows / STEPS:.0f} rows a step")
    peer = f"pydantic over json (targets {TARGET:,.0f}/s, {TARGET_RATIO:.0f} x)"
    REPORT.figure("prices parsed and compared", rate, "/s", rate / plain_rate, peer)
    REPORT.figure("one payload", seconds * 1e3, "ms")
    assert rate >= TARGET_RATIO * plain_rate
