"""The running system without its supervisor: replay server, burst and scorer as processes on real servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx2

from edge_assets.store.health.totals import load_status
from edge_assets.store.postgres.database import connect
from tests.support.servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any, Self

BURST = """
import asyncio, sys
from edge_assets.ingestion.burst import BurstRequest, run_burst
from edge_assets.core.settings import Settings
asyncio.run(run_burst(BurstRequest(sys.argv[1], (sys.argv[2],), duration_seconds=600), Settings()))
"""
SECONDS = 120.0


class System:
    """Replays one sport of a recording at top speed; every part can be killed and restarted."""

    def __init__(self, recording: Path, sport: str, database_url: str, redis_url: str, **environment: str) -> None:
        self.sport = sport
        self.database_url = database_url
        self._port = free_port()
        self._recording = recording
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("EDGE_")},
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "EDGE_FEED": "replay",
            "EDGE_SPORTS": sport,
            "EDGE_REGIONS": "us",
            "ODDS_API_URL": f"http://127.0.0.1:{self._port}/v4",
            "ODDS_API_KEY": "replay",
            **environment,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._bursts = 0

    def __enter__(self) -> Self:
        recording = (
            "edge_assets.sandbox.server",
            "--recording",
            str(self._recording),
            "--speed",
            "max",
            "--port",
            str(self._port),
        )
        self._start("replay", "-m", *recording)
        self.wait(self._answers)
        self.start_scorer()
        self.start_burst()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            process.wait(30)

    def start_burst(self) -> None:
        """Start a burst, as the sensor would."""
        self._bursts += 1
        self._start("burst", "-c", BURST, f"run-{self._bursts}", self.sport)

    def start_scorer(self) -> None:
        """Start a scorer, as the supervisor would."""
        self._start("scorer", "-m", "serving.scorer")

    def kill(self, name: str) -> None:
        """Kill -9."""
        self._processes[name].kill()
        self._processes[name].wait(30)

    def cut_connections(self) -> None:
        """End every database session but our own, as a restarting server would."""
        with connect(self.database_url, "chaos") as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def status(self) -> dict[str, Any]:
        """What `edge status` would say."""
        with connect(self.database_url, "test") as conn:
            return load_status(conn)

    def wait_for_payloads(self, n: int) -> None:
        """Wait until so many payloads are committed; the whole of the status would cost more than a payload."""
        with connect(self.database_url, "test") as conn:
            self.wait(lambda: conn.execute("SELECT count(*) >= %s FROM polls", [n]).fetchone() == (True,))

    def wait_for_scorer(self) -> None:
        """Wait until every committed poll is scored and every alert is public."""
        behind = (
            "SELECT (SELECT max(id) FROM polls) IS DISTINCT FROM (SELECT max(poll_id) FROM scorer_progress) "
            "OR EXISTS (SELECT FROM alert_outbox)"
        )
        with connect(self.database_url, "test") as conn:
            self.wait(lambda: conn.execute(behind).fetchone() == (False,))

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, with patience."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain; {self.status()}"
            time.sleep(0.05)

    def _start(self, name: str, *arguments: str) -> None:
        self._processes[name] = subprocess.Popen([sys.executable, *arguments], env=self._environment)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{self._port}/_edge/ready").is_success
        except httpx2.TransportError:
            return False
