r"""The 90% interval of the expected value on markets with a known truth: how often it holds, by market and weights.

Prints coverage, precision and recall of alerts on structures that the constants of `ml.market.dissent` were chosen on
and on others, with seeds that they were not chosen on: `make bench ARGS=-k\ interval`.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.report import REPORT
from tests.support.drawn_markets import FITTED, HELD_OUT, draw, open_alerts, tables

SEEDS = (101, 102)
LINES = 6_000


@pytest.mark.parametrize("name", [*FITTED, *HELD_OUT])
def test_the_interval(name: str) -> None:
    structure = (FITTED | HELD_OUT)[name]
    kind = "chosen on" if name in FITTED else "held out"
    for table in ("realistic", "equal", "misleading"):
        runs = [open_alerts(drawn, tables(drawn)[table]) for drawn in (draw(structure, s, LINES) for s in SEEDS)]
        held = np.concatenate([run.held for run in runs])
        by_seed = " ".join(f"{run.coverage:.3f}" for run in runs)
        precision = np.average([run.precision for run in runs], weights=[len(run.held) for run in runs])
        recall = sum(run.found for run in runs) / sum(run.clear for run in runs)
        REPORT.note(f"{kind}, {table} weights: n {len(held)}, coverage by seed {by_seed}")
        REPORT.figure(f"coverage of the 90% interval, {table} weights", held.mean(), "of bets")
        REPORT.figure(f"precision, {table} weights", precision, "of alerts")
        REPORT.figure(f"recall, {table} weights", recall, "of bets")
        assert len(held) > 20
