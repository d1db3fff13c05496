"""How fair probabilities did on unseen lines, compared with the market's: errors, calibration and bets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.arrays import complete_rows
from ml.training.scores import Interval, calibrate, closing_errors, clustered_mean, log_losses
from ml.training.simulated_bets import BetTable, clv_difference, stack_outcomes, stack_tables, summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ml.training.dataset import TrainingSet

    Array = NDArray[np.float64]

GAIN_UNIT = 1e-5
"""Gains are shown in units of 1e-5 nats."""
MIN_GROUP_LINES = 200
"""A season or league with fewer lines is counted, and not judged alone."""


class EstimateScore(NamedTuple):
    """Mean errors of one estimate on lines, and its gains over the market: positive is better, in 1e-5 nats.

    `share` is the part of the market's distance from the close that the estimate recovers. `lines` have a close,
    `results` a result.
    """

    lines: int
    results: int
    log_loss: float
    closing_error: float
    share: float
    closing_gain: Interval
    result_gain: Interval

    def as_json(self) -> dict[str, Any]:
        """As JSON, null where unknown."""
        figures = {
            name: _none_if_nan(value) for name, value in self._asdict().items() if not isinstance(value, Interval)
        }
        return figures | {name: getattr(self, name).as_json() for name in ("closing_gain", "result_gain")}


def score(lines: TrainingSet, estimate: Array) -> EstimateScore:
    """The score of `estimate` (N, n) on `lines`."""
    loss, market_loss = (log_losses(p, lines.won, lines.at_risk) for p in (estimate, lines.market))
    error, market_error = closing_errors(estimate, lines.close), closing_errors(lines.market, lines.close)
    total = float(np.nansum(market_error))
    return EstimateScore(
        int((~np.isnan(error)).sum()),
        int((~np.isnan(loss)).sum()),
        _mean(loss),
        _mean(error),
        1 - float(np.nansum(error)) / total if total > 0 else np.nan,
        clustered_mean(market_error - error, lines.date).scale(1 / GAIN_UNIT),
        clustered_mean(market_loss - loss, lines.date).scale(1 / GAIN_UNIT),
    )


def evaluate_bets(sets: Sequence[tuple[TrainingSet, Array]]) -> dict[str, Any]:
    """Bets by a model and by the market alone, over several sets with the model's probabilities: at the same threshold
    of expected value, and as many of each.

    The market-only rule bets where the market's own fair price shows an expected value above 2% at the best price.
    """
    table = stack_tables([BetTable(s.price, s.close, s.won, s.at_risk, s.date) for s, _ in sets])
    market, estimate = (stack_outcomes([*columns]) for columns in zip(*((s.market, p) for s, p in sets), strict=True))
    by_market, by_model = table.value_bets(market), table.value_bets(estimate)
    matched = table.best_bets(estimate, len(by_market.row))
    return {
        "market_rule": summarise(by_market).as_json(),
        "model": summarise(by_model).as_json(),
        "model_same_number": summarise(matched).as_json(),
        "clv_difference_same_number": clv_difference(matched, by_market).as_json(),
    }


def evaluate(lines: TrainingSet, estimates: Mapping[str, Array], league_names: Mapping[int, str]) -> dict[str, Any]:
    """All figures of `estimates` on unseen `lines`; `market` itself is the first."""
    by_name = {"market": lines.market} | dict(estimates)
    return {
        "models": {
            name: score(lines, estimate).as_json() | {"calibration": _calibration(lines, estimate)}
            for name, estimate in by_name.items()
        }
        | {"close": _close_score(lines)},
        "bets": {name: evaluate_bets([(lines, estimate)]) for name, estimate in estimates.items()},
        "by_season": _by_group(lines, by_name, lines.season, str),
        "by_league": _by_group(lines, by_name, lines.league, lambda league: league_names.get(league, str(league))),
    }


def _close_score(lines: TrainingSet) -> dict[str, Any]:
    """The close itself as an estimate: the limit of what can be recovered."""
    known = lines.take(complete_rows(lines.close))
    return score(known, known.close).as_json()


def _by_group(lines: TrainingSet, estimates: Mapping[str, Array], group: NDArray[Any], name: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for value in np.unique(group).tolist():
        rows = group == value
        if rows.sum() < MIN_GROUP_LINES:
            figures[name(value)] = {"lines": int(rows.sum())}
        else:
            part = lines.take(rows)
            figures[name(value)] = {model: score(part, p[rows]).as_json() for model, p in estimates.items()}
    return figures


def _calibration(lines: TrainingSet, estimate: Array) -> dict[str, Any]:
    won = np.where(lines.at_risk[:, None] > 0, lines.won, np.nan)
    return {name: _none_if_nan(value) for name, value in calibrate(estimate, won, lines.date)._asdict().items()}


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan


def _none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else value
