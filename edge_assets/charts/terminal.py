"""A price history as text: a chart of braille dots, with colours for books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from uniplot import plot_to_string

if TYPE_CHECKING:
    from edge_assets.charts.line import PriceHistory, Times, Values

COLOURS = ("cyan", "red", "green", "yellow", "magenta", "blue", "#ff8700", "#8a8a8a")
LETTERS = "abcdefgh"
MARGIN_COLUMNS = 12
"""Columns next to the plot: the frame and the axis labels."""


def render_terminal(history: PriceHistory, width: int, height: int, *, in_colour: bool) -> str:
    """The leaders of a history in `width` columns and `height` rows.

    Curves have `COLOURS` (ANSI) or, without colour, `LETTERS` instead of dots, in the order of the leaders.
    """
    curves = [_step_corners(*history.extend_to_end(series)) for series in history.leaders]
    starts = list(history.start_marks().values())
    style: dict[str, Any] = {"character_set": "braille", "color": list(COLOURS[: len(curves)])}
    if not in_colour:
        style = {"character_set": "ascii", "color": False, "force_ascii_characters": list(LETTERS)}
    begin, end = min(at[0] for at, _ in curves), max([*(at[-1] for at, _ in curves), *starts])
    return plot_to_string(
        xs=[at for at, _ in curves],
        ys=[value * (100 if history.is_fair else 1) for _, value in curves],
        lines=True,
        x_min=begin,
        x_max=end + (end - begin) // width,
        x_gridlines=starts,
        y_gridlines=[],
        y_unit="%" if history.is_fair else "",
        width=max(width - MARGIN_COLUMNS, 20),
        height=height,
        **style,
    )


def _step_corners(at: Times, value: Values) -> tuple[Times, Values]:
    """Corners of a curve that holds each value until the next."""
    return np.repeat(at, 2)[1:], np.repeat(value, 2)[:-1]
