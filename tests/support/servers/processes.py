"""Server processes that belong to a test run: started, killed, started again, and always gone at the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

READY_SECONDS = 600.0
"""A quiet machine needs less than 5; WebAssembly on a busy one 40."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A server in a session of its own: a Ctrl-C for the tests leaves it to the fixture that stops it."""

    def __init__(self, command: Sequence[str], ready: Callable[[], bool], log: Path, user: str | None = None) -> None:
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
        """Kill -9 with all children: PostgreSQL's have sessions of their own and keep its memory from a successor."""
        if self._process is None or self._process.poll() is not None:
            return
        main = psutil.Process(self._process.pid)
        family = [main, *main.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(READY_SECONDS)
        while any(map(_alive, family)):
            time.sleep(0.01)

    @contextmanager
    def suspend_during(self) -> Iterator[None]:
        """Let it hang: nothing in it runs, and its connections stay open."""
        self.suspend()
        try:
            yield
        finally:
            self.resume()

    def suspend(self) -> None:
        """Let it hang: it keeps its connections and answers nothing."""
        # once the first of them stands still, it starts no more
        suspended = set[int]()
        while running := [process for process in self._family() if process.pid not in suspended]:
            for process in running:
                process.suspend()
                suspended.add(process.pid)

    def resume(self) -> None:
        """Let it go on."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        main = psutil.Process(self._process.pid)
        return [main, *main.children(recursive=True)]

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGINT)
        self._process.wait(READY_SECONDS)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
