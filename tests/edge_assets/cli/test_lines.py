"""`edge lines`."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from edge_assets.cli import app
from edge_assets.store.postgres.database import connect
from ml.quotes import Outcome, QuoteBatch
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.support.edge_command import Edge


class Lines(Protocol):
    def __call__(self, *args: str) -> Result: ...


@pytest.fixture
def lines(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Runs the command on two events of the same teams; the second is quoted by two books."""
    with closing(connect(database_url, "test")) as conn:
        harness = StoreHarness(conn)
        for hour, price in enumerate((2.0, 2.5, 2.25)):
            quotes = [harness.quote(price, event=1), harness.quote(1.6, event=1, outcome=Outcome.AWAY)]
            late = [harness.quote(price + 0.5, event=1, book=1)] if hour else []
            harness.write(NOON + timedelta(hours=hour), QuoteBatch.from_rows([*quotes, *late]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, ["lines", *args])

    return run


def test_a_chart_with_the_books_below(lines: Lines) -> None:
    shown = lines("e2").stdout
    assert "Seattle Seahawks v Rams: Seattle Seahawks" in shown
    assert "start 2025-11-11 18:00 UTC" in shown
    table = [line.split() for line in shown.splitlines() if line.startswith(("a  ", "b  ")) and "│" not in line]
    assert table == [
        ["a", "pinnacle", "2.000", "2.000", "2.500", "2.250", "2"],
        ["b", "fanduel", "3.000", "2.750", "3.000", "2.750", "1"],
    ]
    assert "also quoted: --outcome away" in shown


def test_as_json(lines: Lines) -> None:
    shown = json.loads(lines("e2", "--book", "fanduel", "--since", "29h", "--json").stdout)
    assert (shown["selection"], shown["market"], shown["point"]) == ("Seattle Seahawks", "h2h", None)
    assert shown["books"] == [
        {
            "book": "fanduel",
            "line": [["2025-11-10T13:00:00.000000Z", 3.0], ["2025-11-10T14:00:00.000000Z", 2.75]],
        }
    ]


def test_as_an_image(lines: Lines, tmp_path: Path) -> None:
    done = lines("e2", "--fair", "--png", "line.png")
    assert (done.exit_code, done.stdout) == (0, "")
    assert imread(tmp_path / "line.png").shape == (605, 1100, 4)


@pytest.mark.parametrize(
    ("args", "problem", "remedy"),
    [
        (["seahawks"], "'seahawks' matches 2 events", "2025-11-11 18:00  Seattle Seahawks v Rams"),
        (["colts"], "no event matches 'colts'", "words of the team names"),
        (["e1"], "no price of Seattle Seahawks v Rams before its start", "try --in-play"),
        (["e2", "--market", "totals"], "no price with --market totals", "--market is one of h2h"),
        (["e2", "--since", "yesterday"], "--since yesterday is not a time", "6h or 2d"),
        (["e2", "--png", "nowhere/x.png"], "cannot be written: No such file", "another --png"),
    ],
)
def test_problems_are_reported(lines: Lines, args: list[str], problem: str, remedy: str) -> None:
    done = lines(*args)
    assert done.exit_code == 1
    assert problem in done.stderr
    assert remedy in done.stderr


def test_without_a_database(edge: Edge) -> None:
    done = edge("lines", "e1")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "no database is running or configured",
        "→ set DATABASE_URL, or start one with `edge up`",
    ]
