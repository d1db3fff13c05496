"""Where the weights of `ml.market.palpable` come from: `python -m tests.ml.market.palpable_fit ../shared/data`.

Fitted on seeds, seasons and weeks that no test judges by.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from ml.market.palpable import PalpableWeights
from tests.ml.market.palpable_boards import (
    KINDS,
    LIKELY_ERROR_PRICE,
    Boards,
    Candidates,
    candidates,
    concatenate,
    inject_errors,
)
from tests.ml.market.palpable_sources import football, simulate_boards
from tests.ml.market.palpable_ticks import Fate, Ticks, read_ticks
from tests.support.football_matches import read_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SEED = 101
MOMENTS = [datetime(2026, 1, 10, hour, tzinfo=UTC) for hour in (6, 12)]
SEASONS = "1[2-8]*"
UNTIL = "2025-11-01"
RIDGE = 1e-2
PER_KIND = 400
VALUE_EDGE = 0.03
"""Of recorded value there is too little above the alert threshold to learn from."""


def fit(errors: list[Candidates], values: list[Candidates], ridge: float = RIDGE) -> PalpableWeights:
    """Logistic regression on the log ratios with a ridge on standardised weights (Hoerl & Kennard 1970).

    Errors weigh as much as values in all, and every source as much as any other.
    """
    sources = [*errors, *values]
    ratios = np.concatenate([source.ratios() for source in sources])
    sign = np.repeat([1.0] * len(errors) + [-1.0] * len(values), [len(source) for source in sources])
    share = [1 / len(source) / (2 * len(side)) for side in (errors, values) for source in side]
    weight = np.repeat(share, [len(source) for source in sources])
    scale = ridge * ratios.std(axis=0) ** 2

    def loss(w: Array) -> tuple[float, Array]:
        margin = sign * (w[0] + ratios @ w[1:])
        slope = -weight * sign * expit(-margin)
        value = weight @ np.logaddexp(0, -margin) + scale @ w[1:] ** 2
        return float(value), np.append(slope.sum(), slope @ ratios + 2 * scale * w[1:])

    return PalpableWeights(*minimize(loss, np.zeros(6), jac=True, method="BFGS").x.tolist())


def training(data: Path, season: Ticks) -> tuple[list[Candidates], list[Candidates]]:
    """Errors and values, by source."""
    ticks = season.starting(until=UNTIL)
    drawn = [
        candidates(boards)
        for at_errors in (True, False)
        for boards in simulate_boards(SEED, MOMENTS, at_errors=at_errors).values()
    ]
    matches, early = football(read_rows(data / "football_data_uk", SEASONS)), ticks.boards
    recorded = ticks.standing_out(VALUE_EDGE)
    recorded = recorded.take(np.array(ticks.fates(recorded)) == Fate.OTHER)
    booked = candidates(matches, VALUE_EDGE)
    errors = [concatenate(c.take(c.wrong) for c in drawn)]
    errors += [palpable(boards, SEED) for boards in (matches, early)]
    return errors, [concatenate(c.take(~c.wrong) for c in drawn), concatenate([booked.take(~booked.wrong), recorded])]


def palpable(boards: Boards, seed: int) -> Candidates:
    """Errors of every kind that make the odds too long beyond doubt."""
    found = concatenate(inject_errors(boards, kind, PER_KIND, seed) for kind in KINDS)
    return found.take(found.size >= LIKELY_ERROR_PRICE)


def main(data: Path) -> None:
    """Print the weights, and on how much they rest."""
    errors, values = training(data, read_ticks(data / "nfl_2025_ticks"))
    weights = fit(errors, values)
    sys.stdout.write(f"errors {[len(c) for c in errors]}, values {[len(c) for c in values]}\n{weights}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
