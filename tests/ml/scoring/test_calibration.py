"""The 90% interval of an alert's expected value covers the truth nine times out of ten, on markets with a known truth.

Measured on *alerts*, that is on selected prices, with weights that do not know which book is right. The seeds were not
used to choose the constants. `tests/benchmarks/bench_calibration.py` prints the table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ml.scoring.rules import ScoringRules
from tests.support.drawn_markets import FITTED, HELD_OUT, Drawn, Opened, draw, open_alerts, tables
from tests.support.drawn_structures import draw_structures, shipped_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.untraced
SEEDS = (201, 202)
LINES = 6_000
MOST_DISSENT = ScoringRules().max_dissent
NOTHING_DISPUTED = 1.1
STRUCTURES = 24
SEEDS_BY_STRUCTURES_SEED = {7100: (701, 702), 7200: (711, 712)}
STRUCTURE_LINES = 3_000
ENOUGH_ALERTS = 30


@cache
def alerts(name: str, table: str, most_dissent: float = MOST_DISSENT) -> list[Opened]:
    """The alerts of a market structure, by seed."""
    drawn = [draw((FITTED | HELD_OUT)[name], seed, LINES) for seed in SEEDS]
    return [open_alerts(d, tables(d)[table], ScoringRules(max_dissent=most_dissent)) for d in drawn]


def coverage(runs: list[Opened]) -> float:
    return float(np.concatenate([run.held for run in runs]).mean())


@pytest.mark.parametrize("table", ["realistic", "equal"])
def test_the_90_percent_interval_covers_the_truth(table: str) -> None:
    """Of all alerts, on structures that the scorer does not know; a structure alone may be over or under.

    Each has a few dozen to a few hundred alerts.
    """
    runs = {name: alerts(name, table) for name in FITTED | HELD_OUT}
    each = {name: coverage(of_structure) for name, of_structure in runs.items()}
    assert 0.87 < coverage([run for of_structure in runs.values() for run in of_structure]) < 0.93, each
    assert min(each.values()) > 0.8, each


@cache
def drawn_alerts() -> dict[str, list[list[Opened]]]:
    """By table of weights, the alerts of each structure drawn at random."""
    found: dict[str, list[list[Opened]]] = {"realistic": [], "equal": [], "shipped": []}
    for structures_seed, seeds in SEEDS_BY_STRUCTURES_SEED.items():
        for number, structure in enumerate(draw_structures(structures_seed, STRUCTURES)):
            # uncached: the prices of all structures would fill the memory
            drawn = [draw.__wrapped__(structure, seed, STRUCTURE_LINES) for seed in seeds]
            for table, runs in found.items():
                runs.append([open_alerts(d, weights_of(d, table, number)) for d in drawn])
    return found


def weights_of(drawn: Drawn, table: str, seed: int) -> NDArray[np.float64]:
    return shipped_weights(drawn, seed) if table == "shipped" else tables(drawn)[table]


@pytest.mark.parametrize("table", ["realistic", "equal", "shipped"])
def test_the_interval_covers_the_truth_on_structures_drawn_at_random(table: str) -> None:
    """Structures have a few dozen alerts each, so that only their pooled figure is tight."""
    by_structure = drawn_alerts()[table]
    held = [np.concatenate([run.held for run in runs]) for runs in by_structure]
    assert 0.87 < np.concatenate(held).mean() < 0.93
    assert min(h.mean() for h in held if len(h) >= ENOUGH_ALERTS) > 0.75


def test_misleading_weights_lower_the_coverage_only_a_little() -> None:
    """The heaviest books are the worst, which no consensus can detect; the interval still does not collapse."""
    each = {name: coverage(alerts(name, "misleading")) for name in FITTED}
    assert np.mean(list(each.values())) > 0.75, each


@pytest.mark.parametrize(("table", "least"), [("realistic", 0.95), ("equal", 0.8)])
def test_alerts_have_value_about_as_often_as_their_stated_probability(table: str, least: float) -> None:
    runs = [run for name in FITTED for run in alerts(name, table)]
    claimed = np.concatenate([run.positive for run in runs]).mean()
    right = np.concatenate([run.truth > 0 for run in runs]).mean()
    assert right > least
    assert claimed == pytest.approx(right, abs=0.12)


def test_suppressing_disputed_prices_avoids_false_alerts_and_loses_few_edges() -> None:
    kept, whatever = (alerts("as simulated", "equal", share) for share in (MOST_DISSENT, NOTHING_DISPUTED))
    wrong = [int(sum((run.truth <= 0).sum() for run in runs)) for runs in (kept, whatever)]
    found = [sum(run.found for run in runs) for runs in (kept, whatever)]
    assert wrong[0] < 0.7 * wrong[1]
    assert found[0] > 0.75 * found[1]
