"""Charts as PNG. Uses its own figures without pyplot, which keeps all figures alive and shares them among threads."""

from __future__ import annotations

from io import BytesIO
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image

from edge_assets.charts.coverage import CLOSED
from edge_assets.core.texts import escape_text, truncate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from edge_assets.charts.coverage import ClosingCoverage
    from edge_assets.charts.line import BookSeries, PriceHistory, Times

GREY, FAINT, DARK = "0.8", "0.93", "0.35"
COLOURS = ("tab:green", *(f"tab:{name}" for name in ("red", "orange", "gray", "purple", "brown", "olive", "pink")))
"""For closes, and for the reasons why others are missing."""
MAX_NAME_LENGTH = 120
"""Characters of a title; a longer one leaves no room for the chart."""
MAX_BOOKS = 30
"""The bars that fit on a page."""


def render_history_png(history: PriceHistory, *, size: tuple[float, float] = (10, 5.5), dpi: int = 110) -> bytes:
    """A price history: leading books in colour, others grey, the start dashed; `size` in inches."""
    figure = Figure(size, dpi=dpi, layout="constrained")
    axes = _create_axes(figure, history.title, " · ".join(history.notes))
    _draw_curves(axes, history)
    for name, start in history.start_marks().items():
        axes.axvline(_to_date_numbers(start), color=DARK, linewidth=1, linestyle="--")
        axes.text(
            _to_date_numbers(start),
            1,
            f"{name} ",
            transform=axes.get_xaxis_transform(),
            color=DARK,
            ha="right",
            va="top",
        )
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib.dates has no types
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # matplotlib.dates has no types
    if history.is_fair:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.set_ylabel(history.measure, color=DARK)
    axes.grid(color=FAINT)
    return _encode_png(figure)


def render_coverage_png(books: Sequence[ClosingCoverage], *, dpi: int = 80) -> bytes:
    """The closed share of each book's expected closes, and the missing shares by reason."""
    shown = books[:MAX_BOOKS]
    figure = Figure((9, 1.6 + 0.24 * len(shown)), dpi=dpi, layout="constrained")
    left_out = f", the {len(shown)} largest of {len(books)}" if len(shown) < len(books) else ""
    axes = _create_axes(figure, "Closing coverage by book", f"percent of the expected closes{left_out}")
    reasons = [CLOSED, *sorted({reason for book in shown for reason in book.percent} - {CLOSED})]
    left = [0.0] * len(shown)
    for reason, colour in zip(reasons, cycle(COLOURS), strict=False):
        widths = [book.percent.get(reason, 0.0) for book in shown]
        axes.barh(
            [_escape_label(book.name) for book in shown],
            widths,
            left=left,
            color=colour,
            label=reason.replace("_", " "),
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.margins(y=0.01)
    axes.grid(axis="x", color=FAINT)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return _encode_png(figure)


def _escape_label(name: str) -> str:
    """Escape a name for matplotlib: `$` starts a formula, and labels with a leading `_` are dropped."""
    shown = truncate(escape_text(name), MAX_NAME_LENGTH).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def _draw_curves(axes: Axes, history: PriceHistory) -> None:
    """Draw the first leader on top and the others grey below; the legend is ordered by last value."""
    leaders, followers = history.leaders, history.series[len(history.leaders) :]
    others = [_draw_curve(axes, history, series, GREY, 0.8) for series in followers]
    handles = [_draw_curve(axes, history, s, f"C{number}", 1.6) for number, s in reversed(list(enumerate(leaders)))][
        ::-1
    ]
    for series, handle in zip(leaders, handles, strict=True):
        handle.set_label(f"{_escape_label(series.book)}  {history.format_value(series.value[-1])}")
    order = sorted(range(len(leaders)), key=lambda i: -np.nan_to_num(leaders[i].value[-1]))
    shown = [handles[i] for i in order]
    if others:
        others[0].set_label(f"{len(others)} other books")
        shown.append(others[0])
    axes.legend(handles=shown, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _draw_curve(axes: Axes, history: PriceHistory, series: BookSeries, colour: str, width: float) -> Line2D:
    at, value = history.extend_to_end(series)
    return axes.step(_to_date_numbers(at), value, where="post", color=colour, linewidth=width)[0]


def _to_date_numbers(at: Times | np.datetime64) -> Any:
    return date2num(at)  # type: ignore[no-untyped-call]  # matplotlib.dates has no types


def _create_axes(figure: Figure, title: str, subtitle: str) -> Axes:
    figure.suptitle(_escape_label(title), x=0.01, ha="left", fontweight="bold")
    axes = figure.add_subplot()
    axes.set_title(_escape_label(subtitle), loc="left", fontsize="small", color=DARK)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _encode_png(figure: Figure) -> bytes:
    """Encode in 256 colours: a third of the bytes, and Dagster's event log keeps the charts of every build.

    MAXCOVERAGE is off by 12 of 255 at most; the default loses the colour of a book that barely moves.
    """
    drawn_png, quantized_png = BytesIO(), BytesIO()
    figure.savefig(drawn_png, format="png")
    with Image.open(drawn_png) as image:
        image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(quantized_png, format="png", optimize=True)
    return quantized_png.getvalue()
