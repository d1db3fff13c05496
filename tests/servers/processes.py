"""Server processes that belong to a test run: started, killed, started again, and always gone at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

READY_SECONDS = 30.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server in a session of its own, so that all its children go with it."""

    def __init__(
        self, command: Sequence[str], ready: Callable[[], bool], log: Path, user: str | None = None
    ) -> None:
        self._command = list(command)
        self._ready = ready
        self._log = log
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True, user=self._user, cwd="/"
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                msg = f"{self._command[0]} does not answer:\n{self._log.read_text()[-2000:]}"
                raise RuntimeError(msg)
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill -9, as a crash would."""
        self.stop(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it with its children."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, how)
        self._process.wait(READY_SECONDS)
