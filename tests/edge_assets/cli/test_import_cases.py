"""Every odd historical file of `../shared/cases` through `edge import`: valid rows are stored, others counted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conftest import absent

if TYPE_CHECKING:
    from tests.support.edge_command import Edge

DATA = Path(os.getenv("EDGE_DATA_DIR") or Path(__file__).parents[3].parent / "shared" / "data")
CASES = DATA.parent / "cases"
FORMATS = {"fd": "football-data", "ot": "odds-ticks", "pm": "pinnacle-mlb", "bmr": "nfl-bmr"}


class Expected(NamedTuple):
    """Counts of what is stored and rejected; with `is_refused`, the file is refused and the exit code is 1."""

    files: int
    events: int
    ticks: int
    results: int
    rejected: dict[str, int]
    is_refused: bool = False


EXPECTED = {
    "bmr_half": Expected(1, 1, 6, 1, {}),
    "bmr_header_only": Expected(1, 0, 0, 0, {}),
    "bmr_pick": Expected(1, 1, 6, 1, {}),
    "bmr_times": Expected(1, 2, 12, 2, {"time_malformed": 3}),
    "bmr_times_rest": Expected(1, 2, 12, 2, {"time_malformed": 3}),
    "fd_2627": Expected(1, 2, 116, 2, {}),
    "fd_ah_text": Expected(1, 4, 2, 4, {"number_malformed": 3, "handicap_missing": 6}),
    "fd_bad_among_good": Expected(3, 3, 9, 3, {"score_malformed": 1}),
    "fd_bom_double": Expected(2, 2, 6, 2, {}),
    "fd_column_twice": Expected(1, 0, 0, 0, {"column_twice": 1}, is_refused=True),
    "fd_date_iso": Expected(1, 1, 3, 1, {}),
    "fd_date_unpadded": Expected(1, 4, 12, 4, {}),
    "fd_date_us": Expected(1, 0, 0, 0, {"date_month_first": 3}),
    "fd_decimal_comma": Expected(1, 1, 1, 1, {"number_malformed": 2}),
    "fd_extra_league": Expected(1, 1, 6, 1, {}),
    "fd_fixtures": Expected(1, 2, 6, 0, {}),
    "fd_goals_absurd": Expected(3, 0, 0, 0, {"score_malformed": 5}),
    "fd_ht_at": Expected(1, 1, 3, 1, {}),
    "fd_lower_header": Expected(1, 0, 0, 0, {"columns_missing": 1}, is_refused=True),
    "fd_nul": Expected(1, 2, 6, 2, {}),
    "fd_one_file_empty": Expected(3, 3, 9, 3, {}),
    "fd_only_refused": Expected(1, 0, 0, 0, {"division_unknown": 1}),
    "fd_postponed": Expected(1, 3, 9, 0, {"result_unknown": 1, "result_contradicts_score": 1}),
    "fd_prices_odd": Expected(1, 1, 1, 1, {"number_malformed": 4, "price_not_above_one": 3, "price_absurd": 1}),
    "fd_ragged": Expected(1, 3, 9, 3, {}),
    "fd_semicolon": Expected(1, 0, 0, 0, {"separator_unknown": 1}, is_refused=True),
    "fd_time_forms": Expected(1, 5, 15, 5, {"kick_off_unknown": 1}),
    "fd_two_headers": Expected(1, 1, 3, 1, {"behind_another_header": 2}),
    "fd_utf16": Expected(1, 0, 0, 0, {"encoding_unknown": 1}, is_refused=True),
    "ot_doubleheader": Expected(1, 2, 8, 2, {}),
    "ot_empty": Expected(1, 1, 0, 0, {}),
    "ot_zone_text": Expected(1, 1, 4, 0, {"time_malformed": 1}),
    "pm_empty": Expected(1, 1, 0, 0, {}),
    "pm_far_dates": Expected(1, 0, 0, 0, {"time_malformed": 2, "event_unknown": 2}),
    "pm_odd": Expected(
        1, 1, 2, 0, {"time_malformed": 1, "event_unknown": 1, "number_malformed": 1, "price_not_american": 3}
    ),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_only_the_smallest_invalid_part_is_rejected(edge: Edge, database_url: str, case: str) -> None:
    if not (CASES / case).is_dir():
        absent(f"no odd inputs at {CASES / case}")
    done = edge("import", FORMATS[case.partition("_")[0]], str(CASES / case), "--json", DATABASE_URL=database_url)
    assert "Traceback" not in done.stdout + done.stderr
    counts = json.loads(done.stdout)
    stored = [counts[name] for name in ("files", "events", "ticks", "results", "rejected")]
    assert Expected._make([*stored, done.returncode == 1]) == EXPECTED[case]
