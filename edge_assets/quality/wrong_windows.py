"""Runs of events in which a source is wrong although it is right in the rest of its season.

Two comparisons mark events: with the other sources' prices and, where there are three outcomes, with the source's own
relation of the draw to the two teams, which shows columns that all sources have exchanged alike. A scan over all
windows of consecutive events then asks whether the marked ones lie closer together than chance brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import bdtrc, xlog1py, xlogy
from scipy.stats import hypergeom

from edge_assets.quality.agreement import MIN_ORDER_Z_SCORE, price_error, take_rows
from edge_assets.quality.check_failures import MIN_SAMPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.quality.agreement import SourceRows
    from edge_assets.quality.market_matrix import Array, Flags

MAX_WINDOW_P_VALUE = 1e-5
"""For all windows of a source together. The smallest of 4,300 sources in twelve real seasons is 0.0003."""
TYPICAL_MARKED_RATIO = 0.01
"""Share of marked events that needs no explanation; it is about 0.1% in real seasons."""
MIN_LOG_DISTANCE = 0.2
"""Sources are not recorded at the same moment: one that is hours ahead of the others is right. The largest real run,
seven totals of Serie A 2020/21 on the last two days, is up to 0.18 apart."""
MIN_DRAW_ERROR = 0.02
"""In log price, around the curve of the draw."""
MIN_CURVE_SAMPLE = 60
"""Events from which the curve of the draw can be fitted."""
TRIMMED_QUANTILE = 0.7
THREE_WAY = 3
MIN_MARKED_EVENTS = 2
"""A window begins and ends at a marked event."""
MIN_WRONG_ROWS_RATIO = 0.5
"""Share of an event's rows that must be wrong for it to be marked."""
MEDIAN_NORMAL_DEVIATION = 0.6745
WINDOW_KINDS = {
    "others": "far from the other sources' prices",
    "draw": "priced with a draw that the rest of the season contradicts",
}


class Window(NamedTuple):
    """A window of consecutive events: its first position, the one behind its last, and how many are marked in it."""

    first: int
    end: int
    marked: int


class WrongWindow(NamedTuple):
    """A window in which a source is wrong: its number of events, how many are marked, their rows (k,), the sum of how
    far these are apart in log price, and from what (`WINDOW_KINDS`).
    """

    events: int
    marked: int
    rows: NDArray[np.intp]
    apart: float
    kind: str


def find_densest_window(marked: Flags) -> Window | None:
    """The window (n,) of positions that differs most from the rest; None if chance may bring it.

    Kulldorff's scan statistic (1997) selects it among the windows that begin and end at a marked position. Its p-value,
    times the number of all windows (Bonferroni), must be below `MAX_WINDOW_P_VALUE`, both for independent marks at
    `TYPICAL_MARKED_RATIO` (binomial) and for the given number of marks in any order (hypergeometric): marks all over a
    season, however many, make no window.
    """
    places, n = np.flatnonzero(marked), len(marked)
    if len(places) < MIN_MARKED_EVENTS:
        return None
    first, last = np.triu_indices(len(places), 1)
    count, length = last - first + 1, places[last] - places[first] + 1
    best = int(np.argmax(_log_likelihood(count, length) + _log_likelihood(len(places) - count, n - length)))
    k, width, begin = int(count[best]), int(length[best]), int(places[first[best]])
    by_ratio, by_order = bdtrc(k - 1, width, TYPICAL_MARKED_RATIO), hypergeom.sf(k - 1, n, len(places), width)
    p_value = float(max(by_ratio, by_order)) * n * (n + 1) / 2
    return Window(begin, begin + width, k) if p_value < MAX_WINDOW_P_VALUE else None


def _log_likelihood(count: NDArray[np.intp], n: NDArray[np.intp]) -> Array:
    """The log likelihood of `count` of `n` marks at their own share."""
    ratio = count / np.maximum(n, 1)
    return np.asarray(xlogy(count, ratio) + xlog1py(n - count, -ratio), np.float64)


def find_wrong_window(rows: SourceRows, min_others: int) -> WrongWindow | None:
    """Where a source departs from at least `min_others` others for a while."""
    compared = np.flatnonzero(rows.other_count >= min_others)
    some = take_rows(rows, compared)
    if len(np.unique(some.event)) < MIN_SAMPLE:
        return None
    apart = np.sqrt(((some.log_prices - some.others_median) ** 2).sum(axis=1))
    limit = max(MIN_ORDER_Z_SCORE * price_error(some), MIN_LOG_DISTANCE)
    return _find_window(some, compared, apart, limit, "others")


def find_odd_draws(rows: SourceRows) -> WrongWindow | None:
    """Where the draw of a source does not fit the two teams for a while, by the source's own season."""
    if rows.log_prices.shape[1] < THREE_WAY or len(np.unique(rows.event)) < MIN_CURVE_SAMPLE:
        return None
    apart = _distances_from_draw_curve(rows.log_prices)
    error = max(float(np.median(apart)) / MEDIAN_NORMAL_DEVIATION, MIN_DRAW_ERROR)
    return _find_window(rows, np.arange(len(apart)), apart, MIN_ORDER_Z_SCORE * error, "draw")


def _find_window(
    rows: SourceRows, place: NDArray[np.intp], apart: Array, limit: float, kind: str
) -> WrongWindow | None:
    is_wrong = apart > limit
    events, marked = _mark_events(rows, is_wrong)
    window = find_densest_window(marked)
    if window is None:
        return None
    inside = slice(window.first, window.end)
    wrong = is_wrong & np.isin(rows.event, events[inside][marked[inside]])
    return WrongWindow(window.end - window.first, window.marked, place[wrong], float(apart[wrong].sum()), kind)


def _mark_events(rows: SourceRows, is_wrong: Flags) -> tuple[NDArray[np.int32], Flags]:
    """The events in time order, and whether at least half of the rows of each are wrong."""
    events, number = np.unique(rows.event, return_inverse=True)
    latest = np.zeros(len(events), np.int64)
    np.maximum.at(latest, number, rows.observed_at)
    order = np.lexsort((events.astype(np.int64), latest))
    share = np.bincount(number, is_wrong) / np.bincount(number)
    marked: Flags = share[order] >= MIN_WRONG_ROWS_RATIO
    return events[order], marked


def _distances_from_draw_curve(log_prices: Array) -> Array:
    """How far each draw (k,) is from a parabola in the log ratio of the teams, fitted to the nearest rows."""
    home, draw, away = log_prices.T
    kept = np.ones(len(draw), np.bool_)
    distance = np.zeros(len(draw))
    for _ in range(3):
        curve = np.polynomial.Polynomial.fit((home - away)[kept], draw[kept], 2)
        distance = np.abs(draw - curve(home - away))
        kept = distance <= np.quantile(distance, TRIMMED_QUANTILE)
    return distance
