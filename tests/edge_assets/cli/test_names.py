"""External names in the terminal are always plain text."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest

from edge_assets.charts.picture import _escape_label
from edge_assets.cli import application, status, stream_client
from edge_assets.core.terminal import Terminal, to_single_line
from edge_assets.core.texts import escape_text
from tests.edge_assets.cli.test_stream_client import ALERT

HOSTILE = [
    "\x1b[2J\x1b[Hgone",
    "Two\nlines\r and a forged one",
    "\u202egnorw eht yaw dnuor",
    "bell\x07 back\x08",
    "\x9b31mC1",
    "line\u2028separator",
    "[/x] [bold red]no markup[/] [link=http://evil.example]x[/link]",
    ":skull: $\\frac$",
]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    terminal = Terminal(file=written, width=4_000)
    monkeypatch.setattr(application, "out", terminal)
    monkeypatch.setattr(stream_client, "out", terminal)
    return written


def is_text(written: str) -> bool:
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} for c in written.replace("\n", ""))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_escapes_a_name(screen: io.StringIO, name: str) -> None:
    application.print_rows(["name", "price"], [[name, "2.0"], ["other", "1.9"]])
    written = screen.getvalue()
    assert is_text(written)
    assert escape_text(name) in written
    assert len(written.splitlines()) == 3


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_escapes_a_name(screen: io.StringIO, name: str) -> None:
    application.out.print(to_single_line(name))
    assert screen.getvalue() == escape_text(name) + "\n"


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("field", ["book_title", "selection", "home_team", "away_team", "market", "reason", "state"])
def test_an_alert_is_one_line(screen: io.StringIO, field: str, name: str) -> None:
    alert: dict[str, Any] = ALERT | {field: name}
    stream_client.make_line_printer()(alert)
    assert is_text(screen.getvalue())
    assert len(screen.getvalue().splitlines()) == 2


def test_a_long_name_leaves_price_and_stake_where_they_are(screen: io.StringIO) -> None:
    stream_client.make_line_printer()(ALERT | {"selection": "x" * 3_000, "book_title": "y" * 3_000})
    line = screen.getvalue().splitlines()[1]
    assert len(line) < 500
    assert line.index("2.100") < 80


def test_joiners_and_emoji_are_kept() -> None:
    persian = "\u0645\u06cc\u200c\u062e\u0648"
    assert escape_text(persian) == persian
    assert escape_text("Łódź 東京 🏈") == "Łódź 東京 🏈"


def test_a_chart_label_is_not_parsed_as_a_formula() -> None:
    assert _escape_label("$\\frac$") == "\\$\\frac\\$"
    assert _escape_label("_hidden") == " _hidden"
    assert len(_escape_label("x" * 3_000)) == 120


def test_one_cause_is_shown_once(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "out", application.out)
    reported = {
        "kind": "feed_unreachable",
        "meaning": "the feed does not answer",
        "severity": "error",
        "what_to_do": "check it",
    }
    problems = [reported | {"subject": sport, "detail": "refused"} for sport in ("nba", "n\nfl")]
    status.print_health({"problems": [*problems, reported | {"subject": "", "detail": "late"}]})
    assert screen.getvalue().splitlines() == [
        r"nba, n\nfl: the feed does not answer (refused)",
        "→ check it",
        "the feed does not answer (late)",
        "→ check it",
    ]
