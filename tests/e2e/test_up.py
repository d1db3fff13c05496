"""The first use: `edge up` in an empty home, alerts, `edge down`, and `edge up` again, attached."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from websockets.sync.client import connect

from edge_assets.core.settings import Settings
from edge_assets.local.supervisor import STACK_MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.untraced
ALERT_SECONDS = 120.0
COUNTS = {
    "payloads",
    "quotes_seen",
    "ticks",
    "withdrawals",
    "alerts_opened",
    "suppressed",
    "latency_ms",
    "database",
}
SERVICES = {
    "postgres",
    "valkey",
    "feed",
    "code-ingest",
    "code-analytics",
    "dagster-daemon",
    "dagster-webserver",
    "scorer",
    "serving",
    "watchdog",
    "mlflow",
    "activator",
}


class FreshInstall:
    """An empty home without configuration."""

    def __init__(self, home: Path) -> None:
        unset = {name.upper() for name in Settings.model_fields}
        inherited = {key: value for key, value in os.environ.items() if key not in unset}
        self._home = home
        self._environment = {**inherited, "EDGE_HOME": str(home)}

    def edge(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from edge_assets.cli import app; app()", *words],
            env=self._environment,
            cwd=self._home.parent,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    @contextmanager
    def following(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command that runs until interrupted, and then exits with code 0."""
        command = [sys.executable, "-c", "from edge_assets.cli import app; app()", *words]
        with subprocess.Popen(
            command, env=self._environment, cwd=self._home.parent, stdout=subprocess.PIPE, text=True
        ) as process:
            yield process
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)  # keeps reading: a process that has filled its pipe cannot exit
            assert process.returncode == 0

    def status(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.edge("status", "--json").stdout)
        return state

    def processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._is_of_this_stack(process)]

    def _is_of_this_stack(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(STACK_MARKER) == str(self._home) or process.cwd() == str(
                self._home / "postgres"
            )
        except psutil.Error:
            return False


@pytest.fixture
def install(tmp_path: Path) -> Iterator[FreshInstall]:
    install = FreshInstall(tmp_path / "a home")
    yield install
    install.edge("down")


def eventually(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        time.sleep(0.5)


def first_alert(board: str, token: str) -> dict[str, Any]:
    with connect(f"ws{board.removeprefix('http')}/ws/alerts") as socket:
        socket.send(json.dumps({"token": token, "after": 0}))
        deadline = time.monotonic() + ALERT_SECONDS
        while True:
            message: dict[str, Any] = json.loads(socket.recv(timeout=deadline - time.monotonic()))
            if "alert_id" in message:
                return message


def test_a_fresh_install_raises_alerts_and_stops_cleanly(install: FreshInstall) -> None:
    up = install.edge("up", "--feed", "simulate", "--detach")
    assert up.returncode == 0, up.stderr
    assert "SIMULATED" in up.stdout

    board = install.status()["urls"]["board"]
    alert = first_alert(board, install.edge("token").stdout.strip())
    assert alert["feed"] == "simulate"
    assert alert["state"] == "opened"
    with urllib.request.urlopen(board) as page:
        assert b"Edge Finder" in page.read()

    again = install.edge("up", "--detach")
    assert again.returncode == 1
    assert "a stack is already running" in again.stderr

    state = install.status()
    assert state.keys() >= COUNTS
    assert state["alerts_opened"] > 0
    assert state["services"].keys() == SERVICES
    shown = install.edge("status").stdout
    assert all(word in shown for word in ("feed simulate", "scorer", "alerts opened", board, " MiB"))
    eventually(lambda: install.edge("status").returncode == 0, 60)
    with install.following("watch", "--json", "--after", "0") as watch:
        assert watch.stdout is not None
        assert json.loads(watch.stdout.readline())["id"] == alert["id"]

    scorer = state["services"]["scorer"]["pid"]
    os.kill(scorer, signal.SIGKILL)
    eventually(lambda: install.status()["services"]["scorer"]["pid"] not in {None, scorer}, 20)

    pages = [state["urls"][name] for name in ("dagster", "mlflow")]
    eventually(lambda: all(is_up(page) for page in pages), 300)  # under load, MLflow imports for a minute

    assert install.edge("down").returncode == 0
    assert install.processes() == []
    assert install.status()["running"] is False

    with install.following("up") as attached:
        assert attached.stdout is not None
        assert any("opened" in line or "updated" in line for line in attached.stdout)
    assert install.processes() == []


def is_up(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
