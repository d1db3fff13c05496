"""Output of the command line, in process."""

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
        (["--speed", "fast"], "is not a speed"),
        (["--speed", "0"], "is not a speed"),
        (["--speed", "inf"], "is not a speed"),
        ([], "no recording at"),
    ],
)
def test_invalid_arguments(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(command.app, ["--recording", str(tmp_path / "x"), "--port", "1", *arguments])
    assert done.exit_code == 2
    assert message in done.stderr


def test_texts_of_captures_are_escaped(recording_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(recording_folder, "error.json", {"error_code": "X", "message": "\x1b[2J\x1b[Hall is\nwell"})
    monkeypatch.setattr(command, "serve", lambda *_: None)
    (recording_folder.parent / "x[").mkdir()
    named = recording_folder.rename(recording_folder.parent / "x[" / "x]")
    done = CliRunner().invoke(command.app, ["--recording", str(named), "--port", "1234"])
    assert done.exit_code == 0, done.exception
    assert r"\x1b[2J\x1b[Hall is\nwell" in done.stderr.replace("\n", "")
    assert "\x1b[2J" not in done.stderr


def test_skipped_files_are_reported_and_the_rest_is_served(
    recording_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(recording_folder, "notes.json", {"no": "capture"})
    served: list[Any] = []
    monkeypatch.setattr(command, "serve", lambda app, host, port: served.append((host, port)))
    done = CliRunner().invoke(command.app, ["--recording", str(recording_folder), "--port", "1234", "--speed", "60"])
    assert done.exit_code == 0
    assert served == [("127.0.0.1", 1234)]
    assert "4 captures from 2025-11-03 12:00 to 2025-11-03 12:25 UTC" in done.stderr
    assert "skipped 1: no list of events with odds" in done.stderr
    assert "notes.json" in done.stderr
