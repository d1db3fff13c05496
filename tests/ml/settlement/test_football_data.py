"""Settlement on recorded seasons, against the results that their files state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ml.quotes import Market, Outcome
from ml.settlement import settle_scores
from tests.support.football_matches import _rows

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = {"H": Outcome.HOME, "D": Outcome.DRAW, "A": Outcome.AWAY}


def test_three_way_bets_win_with_the_result_that_the_file_states(data_dir: Path) -> None:
    paths = sorted((data_dir / "football_data_uk").glob("*/*.csv"))
    matches = [row for path in paths for row in _rows(path) if row.get("FTR") in RESULTS]
    stated = np.array([RESULTS[row["FTR"]] for row in matches])
    home, away = (np.array([row[side] for row in matches], float) for side in ("FTHG", "FTAG"))
    no_point = np.full(len(matches), np.nan)

    assert len(matches) == 62_149
    for outcome in RESULTS.values():
        market, selection = (np.full(len(matches), code) for code in (Market.H2H_3_WAY, outcome))
        shares = settle_scores(market, selection, no_point, home, away)
        np.testing.assert_array_equal(shares, [stated == outcome, np.zeros(len(matches)), stated != outcome])
