"""Charts show what the price history contains: checked in the PNG's pixels and the text's letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.image import imread

from edge_assets.charts.coverage import summarize_by_book, summarize_by_season
from edge_assets.charts.line import BookSeries, PriceHistory
from edge_assets.charts.picture import MAX_BOOKS, render_coverage_png, render_history_png
from edge_assets.charts.terminal import render_terminal
from edge_assets.store.analytics.line_history import ChartedEvent, Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEGIN, END = datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 11, 9, tzinfo=UTC)
MIDDLE = BEGIN + (END - BEGIN) / 2
SELECTION = Selection(1, "h2h", 1, "home", None, None, 1, 2)
BLUE, ORANGE, RED, GREEN, GREY, GRID = (
    (0x1F, 0x77, 0xB4),
    (0xFF, 0x7F, 0x0E),
    (0xD6, 0x27, 0x28),
    (0x2C, 0xA0, 0x2C),
    (204,) * 3,
    (237,) * 3,
)


def a_line(*values: list[float], start: datetime = END, is_fair: bool = False) -> PriceHistory:
    """A book for each of `values`, which change at equal intervals from BEGIN to END."""
    event = ChartedEvent(1, "americanfootball_nfl", "Rams", "Bears", start, start, False, BEGIN)
    series = []
    for number, steps in enumerate(values):
        times = [BEGIN + (END - BEGIN) * i / len(steps) for i in range(len(steps))]
        at = np.array([t.replace(tzinfo=None) for t in times], "datetime64[us]")
        series.append(BookSeries(f"book{number}", at, np.array(steps)))
    return PriceHistory(event, SELECTION, is_fair, series, END, False, [])


def dots(png: bytes, colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """Row and column of every pixel of a colour."""
    pixels = (imread(BytesIO(png))[:, :, :3] * 255).round().astype(int)
    return np.argwhere((np.abs(pixels - np.array(colour)) <= 2).all(axis=2))


def where(png: bytes, colour: tuple[int, int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of a colour within the grid, to the left of the legend."""
    found, grid = dots(png, colour), dots(png, GRID)
    widest = grid[:, 0] == np.bincount(grid[:, 0]).argmax()
    plot = found[found[:, 1] <= grid[widest, 1].max()]
    return plot[:, 0], plot[:, 1]


def test_a_step_is_drawn_at_its_time() -> None:
    row, column = where(render_history_png(a_line([2.0, 3.0])), BLUE)
    low, high = column[row >= row.max() - 2], column[row <= row.min() + 2]
    assert low.min() < low.max() <= high.min() + 4 < high.max()
    width = column.max() - column.min()
    assert low.max() - low.min() == pytest.approx(width / 2, rel=0.03)


def test_a_withdrawal_is_drawn_as_a_gap() -> None:
    _, column = where(render_history_png(a_line([2.0, np.nan, 2.0, 2.0])), BLUE)
    gaps = np.diff(np.unique(column))
    assert gaps.max() == pytest.approx((column.max() - column.min()) / 4, rel=0.05)


def test_the_book_with_the_highest_weight_is_drawn_on_top() -> None:
    png = render_history_png(a_line([2.0], [2.0]))
    assert where(png, BLUE)[0].size > 500
    assert where(png, ORANGE)[0].size < 50


def test_books_beyond_the_leaders_are_grey() -> None:
    few, many = (render_history_png(a_line(*[[2.0 + i, 2.0] for i in range(n)])) for n in (8, 9))
    assert where(many, GREY)[0].size > where(few, GREY)[0].size + 400  # letters have grey edges


@pytest.mark.parametrize(("start", "share"), [(END, 1.0), (MIDDLE, 0.5)])
def test_the_start_is_marked_in_the_text(start: datetime, share: float) -> None:
    _, *rows, _, _ = render_terminal(a_line([2.0, 3.0, 3.0], start=start), 92, 10, in_colour=False).splitlines()
    plots = [row[1:81] for row in rows]
    assert plots[0].count("a") == pytest.approx(2 * plots[-1].count("a"), rel=0.1)
    assert [plot.index("│") / 80 for plot in plots[1:-1]] == [pytest.approx(share, abs=0.03)] * 8


def test_books_are_marked_by_letters_or_by_colours() -> None:
    line = a_line([2.0, 2.0], [3.0, 3.0], is_fair=False)
    plain, coloured = (render_terminal(line, 80, 10, in_colour=c) for c in (False, True))
    rows = [row for row in plain.splitlines() if "a" in row or "b" in row]
    assert ["b" in row for row in rows] == [True, False]
    assert "\x1b[" not in plain
    assert "\x1b[36m" in coloured
    assert "\x1b[31m" in coloured


def test_probabilities_are_percent() -> None:
    assert "%" in render_terminal(a_line([0.4, 0.6], is_fair=True), 80, 10, in_colour=False)


def test_a_single_poll_is_charted() -> None:
    line = a_line([2.0])
    once = PriceHistory(line.event, SELECTION, False, line.series, BEGIN, False, [])
    assert "a" in render_terminal(once, 80, 10, in_colour=False)
    assert imread(BytesIO(render_history_png(once))).ndim == 3


def entry(sport: str, season: int, book: str, closed: int, **missing: int) -> dict[str, Any]:
    """An entry of `store.coverage.closing_coverage` for a book."""
    reasons = {reason: {"closes": n, "percent": 0.0} for reason, n in missing.items()}
    return {"sport": sport, "season": season, "book": book, "closed": closed, "missing": reasons} | {
        "expected": closed + sum(missing.values())
    }


ENTRIES = [
    entry("nfl", 2024, "pinnacle", 30, stale=10),
    entry("nfl", 2025, "pinnacle", 45, stale=5, withdrawn=10),
    entry("nfl", 2025, "fanduel", 0, never_quoted=60),
]


def test_coverage_is_summed_over_seasons_and_over_books() -> None:
    assert [(c.name, c.books, c.expected, c.percent) for c in summarize_by_book(ENTRIES)] == [
        ("pinnacle", 2, 100, {"closed": 75.0, "stale": 15.0, "withdrawn": 10.0}),
        ("fanduel", 1, 60, {"closed": 0.0, "never_quoted": 100.0}),
    ]
    assert [(c.name, c.books, c.expected, c.percent["closed"]) for c in summarize_by_season(ENTRIES)] == [
        ("nfl 2024", 1, 40, 75.0),
        ("nfl 2025", 2, 120, 37.5),
    ]


def test_bars_are_as_long_as_their_shares() -> None:
    png = render_coverage_png(summarize_by_book(ENTRIES))
    widths = (np.bincount(dots(png, colour)[:, 0]) for colour in (GREEN, RED))
    green, red = (np.median(width[width > 0]) for width in widths)
    assert green == pytest.approx(0.75 * red, rel=0.03)


def test_the_chart_shows_the_largest_books() -> None:
    many = summarize_by_book(entry("nfl", 2025, f"book{n:02}", 100 - n) for n in range(MAX_BOOKS + 5))
    assert (
        imread(BytesIO(render_coverage_png(many))).shape == imread(BytesIO(render_coverage_png(many[:MAX_BOOKS]))).shape
    )


def test_overlapping_start_marks_are_merged() -> None:
    line = a_line([2.0, 3.0], start=MIDDLE)
    near, far = (line.event._replace(original_commence_at=MIDDLE - timedelta(hours=hours)) for hours in (2, 30))
    starts = [PriceHistory(e, SELECTION, False, line.series, END, False, []).start_marks() for e in (near, far)]
    assert [list(s) for s in starts] == [["start"], ["start", "first announced"]]
