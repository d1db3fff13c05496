"""`edge train`: problems with a remedy. What it computes is tested in `tests/edge_assets/models`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.edge_command import Edge


@pytest.mark.parametrize(
    ("args", "problem", "remedy"),
    [
        (["--market", "goals"], "unknown market 'goals'", "h2h, h2h_3_way, spreads or totals"),
        (["--test-until", "2022-07-01"], "--test-until 2022-07-01 is not after --until 2022-07-01", "tested on"),
        ([], "the database has no games of 'soccer'", "edge import football-data"),
    ],
)
def test_problems_are_reported(edge: Edge, database_url: str, args: list[str], problem: str, remedy: str) -> None:
    done = edge("train", "--sport", "soccer", "--until", "2022-07-01", *args, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert problem in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
