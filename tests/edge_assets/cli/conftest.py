"""The `edge` command, in this process and in a separate one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge_assets.cli import app
from edge_assets.core.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge

UNSET = {name.upper() for name in Settings.model_fields}


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Edge:
    """Runs the command in its own home, with only the given configuration.

    In this process: a separate one would spend seconds on imports in every test.
    """

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        with monkeypatch.context() as patch:
            for name in UNSET:
                patch.delenv(name, raising=False)
            for name, value in {**_home(tmp_path), **environment}.items():
                patch.setenv(name, value)
            patch.chdir(tmp_path)
            with pytest.raises(SystemExit) as exited:
                app([*args])
        for number, handler in handlers.items():
            signal.signal(number, handler)
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(args, int(exited.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def edge_process(tmp_path: Path) -> Edge:
    """Runs the command in a separate process."""

    def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {key: value for key, value in os.environ.items() if key not in UNSET}
        return subprocess.run(
            [sys.executable, "-c", "from edge_assets.cli import app; app()", *args],
            env={**inherited, **_home(tmp_path), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,  # a hang, not a slow machine
            check=False,
        )

    return run


def _home(folder: Path) -> dict[str, str]:
    return {"EDGE_HOME": str(folder / "home"), "COLUMNS": "100"}
