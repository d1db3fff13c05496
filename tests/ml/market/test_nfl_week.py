"""A real week of American football as a test against wishful alerts.

The figures count so: a *line* is (capture, event, market, point); of a started event nothing counts, nor of
a line with fewer than four books. A *selection* is (event, market, point, outcome) over the whole week:
whichever book, however many captures. A market snapshot that holds an arbitrage is a line (a 33rd has three
books).
"""

from __future__ import annotations

import json
import tarfile
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from ml.arbitrage import find_arbitrage
from ml.market import DevigMethod, consensus, edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.untraced
MIN_BOOKS = 4


class WeekLine(NamedTuple):
    capture: str
    event: str
    market: str
    point: float | None


class Week(NamedTuple):
    """Prices (L, B, 2) of the lines before the start, and how many event snapshots were in play."""

    lines: list[WeekLine]
    prices: NDArray[np.float64]
    in_play: int


def decimal(american: int) -> float:
    return 1 + (american / 100 if american > 0 else -100 / american)


def snapshots(recording: Path) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Capture, event, and whether it was in play."""
    with tarfile.open(recording) as archive:
        for member in archive:
            body = archive.extractfile(member)
            if body is None:
                continue
            capture = member.name[-21:-5]
            at = datetime.strptime(capture, "%Y%m%dT%H%M%S%z")
            for event in json.load(body):
                yield capture, event, datetime.fromisoformat(event["commence_time"]) <= at


def lines_of(event: dict[str, Any]) -> Iterator[tuple[str, str, float | None, tuple[float, float]]]:
    """Book, market, point of the first side, prices of the home side and the other, or of over and under."""
    for book in event["bookmakers"]:
        for market in book["markets"]:
            first = event["home_team"] if market["key"] != "totals" else "Over"
            one, other = sorted(market["outcomes"], key=lambda outcome: outcome["name"] != first)
            yield (
                book["key"],
                market["key"],
                one.get("point"),
                (decimal(one["price"]), decimal(other["price"])),
            )


@pytest.fixture(scope="module")
def week(data_dir: Path) -> Week:
    lines: dict[WeekLine, dict[str, tuple[float, float]]] = {}
    in_play = count()
    for capture, event, started in snapshots(data_dir / "odds_api" / "nfl_week_2025-11.tar.xz"):
        if started:
            next(in_play)
            continue
        for book, market, point, prices in lines_of(event):
            lines.setdefault(WeekLine(capture, event["id"], market, point), {})[book] = prices
    books = sorted({book for offers in lines.values() for book in offers})
    missing = (np.nan, np.nan)
    matrix = np.array([[offers.get(book, missing) for book in books] for offers in lines.values()])
    return Week(list(lines), matrix, next(in_play))


def test_no_price_reaches_the_alert_threshold(week: Week) -> None:
    market = consensus(week.prices, np.ones(week.prices.shape[:2]), DevigMethod.MULTIPLICATIVE)
    gap = np.where(market.books[:, None, None] >= MIN_BOOKS, edge(market.probability[:, None, :], week.prices), np.nan)
    selections = {(*week.lines[line][1:], int(outcome)) for line, _, outcome in np.argwhere(gap > 0.01)}
    assert np.nanmax(gap) == pytest.approx(0.0179, abs=5e-5)
    assert len(selections) == 10
    assert week.in_play == 137


def test_arbitrages_are_rare(week: Week) -> None:
    offered = (~np.isnan(week.prices).any(axis=2)).sum(axis=1)
    sure = find_arbitrage(week.prices).margin > 0
    assert np.count_nonzero(sure & (offered >= MIN_BOOKS)) == 32
    assert np.count_nonzero(sure) == 33
