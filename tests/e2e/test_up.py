"""The product as a newcomer meets it: `edge up` in an empty home, alerts, `edge down`, and once more attached."""

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


class Newcomer:
    """Someone with an empty home and nothing configured."""

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
        """A command that runs until it is interrupted, which it takes well."""
        command = [sys.executable, "-c", "from edge_assets.cli import app; app()", *words]
        with subprocess.Popen(
            command, env=self._environment, cwd=self._home.parent, stdout=subprocess.PIPE, text=True
        ) as process:
            yield process
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)  # reads on: who has filled a pipe that nobody reads cannot end
            assert process.returncode == 0

    def status(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.edge("status", "--json").stdout)
        return state

    def processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self._marked(process)]

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(STACK_MARKER) == str(self._home) or process.cwd() == str(
                self._home / "postgres"
            )
        except psutil.Error:
            return False


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    newcomer = Newcomer(tmp_path / "a home")
    yield newcomer
    newcomer.edge("down")


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it never came to hold"
        time.sleep(0.5)


def first_alert(board: str, token: str) -> dict[str, Any]:
    with connect(f"ws{board.removeprefix('http')}/ws/alerts") as socket:
        socket.send(json.dumps({"token": token, "after": 0}))
        give_up = time.monotonic() + ALERT_SECONDS
        while True:
            message: dict[str, Any] = json.loads(socket.recv(timeout=give_up - time.monotonic()))
            if "alert_id" in message:
                return message


def test_from_nothing_to_an_alert_and_back_to_nothing(newcomer: Newcomer) -> None:
    up = newcomer.edge("up", "--feed", "simulate", "--detach")
    assert up.returncode == 0, up.stderr
    assert "SIMULATED" in up.stdout

    board = newcomer.status()["urls"]["board"]
    alert = first_alert(board, newcomer.edge("token").stdout.strip())
    assert alert["feed"] == "simulate"
    assert alert["state"] == "opened"
    with urllib.request.urlopen(board) as page:
        assert b"Edge Finder" in page.read()

    again = newcomer.edge("up", "--detach")
    assert again.returncode == 1
    assert "a stack already runs" in again.stderr

    state = newcomer.status()
    assert state.keys() >= COUNTS
    assert state["alerts_opened"] > 0
    assert state["services"].keys() == SERVICES
    shown = newcomer.edge("status").stdout
    assert all(word in shown for word in ("feed simulate", "scorer", "alerts opened", board, " MiB"))
    eventually(lambda: newcomer.edge("status").returncode == 0, 60)
    with newcomer.following("watch", "--json", "--after", "0") as watch:
        assert watch.stdout is not None
        assert json.loads(watch.stdout.readline())["id"] == alert["id"]

    scorer = state["services"]["scorer"]["pid"]
    os.kill(scorer, signal.SIGKILL)
    eventually(lambda: newcomer.status()["services"]["scorer"]["pid"] not in {None, scorer}, 20)

    pages = [state["urls"][name] for name in ("dagster", "mlflow")]
    eventually(lambda: all(answers(page) for page in pages), 300)  # MLflow imports for a minute under load

    assert newcomer.edge("down").returncode == 0
    assert newcomer.processes() == []
    assert newcomer.status()["running"] is False

    with newcomer.following("up") as attached:
        assert attached.stdout is not None
        assert any("opened" in line or "updated" in line for line in attached.stdout)
    assert newcomer.processes() == []


def answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
