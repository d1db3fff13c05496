"""The command line: what it says, in process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge_assets.sandbox.server import __main__ as command
from tests.support.recordings import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--speed", "fast"], "is no speed"),
        (["--speed", "0"], "is no speed"),
        (["--speed", "inf"], "is no speed"),
        ([], "no recording at"),
    ],
)
def test_what_is_wrong(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(command.app, ["--recording", str(tmp_path / "x"), "--port", "1", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr


def test_what_a_capture_says_stands_as_text(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(recording, "error.json", {"error_code": "X", "message": "\x1b[2J\x1b[Hall is\nwell"})
    monkeypatch.setattr(command, "serve", lambda *_: None)
    (recording.parent / "x[").mkdir()
    named = recording.rename(recording.parent / "x[" / "x]")
    done = CliRunner().invoke(command.app, ["--recording", str(named), "--port", "1234"])
    assert done.exit_code == 0, done.exception
    assert r"\x1b[2J\x1b[Hall is\nwell" in done.stderr.replace("\n", "")
    assert "\x1b[2J" not in done.stderr


def test_it_reports_what_it_skips_and_serves_the_rest(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(recording, "notes.json", {"no": "capture"})
    served: list[Any] = []
    monkeypatch.setattr(command, "serve", lambda app, host, port: served.append((host, port)))
    done = CliRunner().invoke(command.app, ["--recording", str(recording), "--port", "1234", "--speed", "60"])
    assert done.exit_code == 0
    assert served == [("127.0.0.1", 1234)]
    assert "4 captures from 2025-11-03 12:00 to 2025-11-03 12:25 UTC" in done.stderr
    assert "skipped 1: no list of events with odds" in done.stderr
    assert "notes.json" in done.stderr
