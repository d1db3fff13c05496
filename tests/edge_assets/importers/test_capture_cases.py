"""Collected invalid captures: only the invalid part is rejected, with a reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from tests.support.football_files import rows

CASES = Path(os.environ.get("EDGE_DATA_DIR", Path(__file__).parents[4] / "shared" / "data")).parent / "cases"
FOUND = sorted(CASES.glob("oa_*"))
EXPECTED = {
    "oa_all_events_refused": (0, {"malformed_event": 1}),
    "oa_american_floats": (18, {}),
    "oa_american_junk": (17, {"price_not_american": 1}),
    "oa_american_nonprices": (10, {"price_not_american": 6}),
    "oa_american_outrights_float": (24, {}),
    "oa_bom_utf8": (36, {}),
    "oa_book_renamed": (2, {}),
    "oa_bookmakers_null": (12, {}),
    "oa_control": (36, {}),
    "oa_decimal_junk": (11, {"price_not_above_one": 1}),
    "oa_draw_gone": (12, {}),
    "oa_envelope_naive": (36, {}),
    "oa_future_time": (36, {"time_ahead": 18}),
    "oa_gz": (36, {}),
    "oa_historical_markets": (36, {}),
    "oa_jsonl": (36, {}),
    "oa_live_one": (12, {"price_not_above_one": 6}),
    "oa_name_epoch": (36, {}),
    "oa_name_offset": (36, {}),
    "oa_nonlatin": (18, {"other_file": 1}),
    "oa_nul_market": (74, {}),
    "oa_nul_single": (38, {}),
    "oa_nul_team": (72, {}),
    "oa_nul_title": (72, {}),
    "oa_odd_markets": (
        12,
        {
            "duplicate_book": 1,
            "duplicate_quote": 1,
            "point_missing": 2,
            "points_not_opposite": 2,
            "price_not_above_one": 3,
        },
    ),
    "oa_outcome_spaces": (9, {}),
    "oa_price_null": (23, {"price_missing": 1}),
    "oa_price_text": (12, {}),
    "oa_regions_alternating": (12, {}),
    "oa_regions_same_time": (12, {}),
    "oa_same_names": (0, {"same_team_twice": 1}),
    "oa_start_zero": (36, {"malformed_event": 1}),
    "oa_surrogate": (36, {}),
    "oa_title_variants": (36, {}),
    "oa_upcoming": (30, {}),
    "oa_update_ms": (0, {"no_captures": 1}),
    "oa_update_offset_low": (36, {"malformed_time": 1}),
    "oa_update_zero": (36, {"malformed_time": 3}),
    "oa_utf16": (36, {}),
}
"""The number of quotes on offer after the import, and the rejections."""
ON_OFFER = """
SELECT count(*) FROM (
    SELECT DISTINCT ON (event_id, book_id, market_id, outcome_id, point) price FROM odds_ticks
    ORDER BY event_id, book_id, market_id, outcome_id, point, observed_at DESC
) AS last WHERE price IS NOT NULL
"""


def run(url: str, path: Path) -> ImportReport:
    with Importer(url, "run-1") as importer:
        return importer.run(Source.ODDS_API, [path])


def test_the_cases_exist() -> None:
    if not FOUND and not os.environ.get("CI"):
        pytest.skip(f"{CASES} is missing: set EDGE_DATA_DIR to the recorded data next to it")
    assert {path.name for path in FOUND} == EXPECTED.keys()


@pytest.mark.parametrize("path", FOUND, ids=lambda path: str(path.name))
def test_an_invalid_capture_loses_only_its_invalid_part(database_url: str, path: Path) -> None:
    report = run(database_url, path)
    on_offer, rejected = EXPECTED[path.name]
    assert rows(database_url, ON_OFFER) == [(on_offer,)]
    assert dict(report.rejected.counts) == rejected
    assert bool(report.rejected_files) == (path.name == "oa_update_ms")
    outside = "SELECT count(*) FROM odds_ticks WHERE book_time > observed_at OR price NOT BETWEEN 1.0002 AND 10000"
    assert rows(database_url, outside) == [(0,)]
