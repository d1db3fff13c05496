"""Starts, observes and stops programs through supervisord, by XML-RPC on its unix socket."""

from __future__ import annotations

import glob
import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xmlrpc.client import Error, ServerProxy, Transport

import psutil

from edge_assets.local import sockets
from edge_assets.local.errors import LocalError
from edge_assets.local.home import PRIVATE_DIRECTORY_MODE, Home, write_private
from edge_assets.local.programs import Program, escape_percent, format_section

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

STACK_MARKER = "EDGE_STACK"
"""Environment variable that every process of a stack inherits; its value is the home. `edge down` finds them by it."""
START_TIMEOUT_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 40.0
CALL_TIMEOUT_SECONDS = 10.0
"""supervisord normally answers in milliseconds; after this it counts as hanging."""

CONFIGURATION_TEMPLATE = """\
[supervisord]
strip_ansi=true
umask=077
logfile={logs}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisord.pid
{user}
[unix_http_server]
file={socket}
chmod=0600
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files={programs}/*.conf
"""


class ProgramInfo(NamedTuple):
    """The state of a program: supervisord's state name, pid (0: none) and description."""

    name: str
    state: str
    pid: int
    description: str


class Supervisor:
    """The supervisord of a home, running or not."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._socket = sockets.socket_path(home, "supervisor")

    @property
    def pid(self) -> int | None:
        """The running supervisord's process id; a pid file left by a dead one does not count."""
        try:
            pid = int((self._home.run / "supervisord.pid").read_text())
            alive = psutil.Process(pid).environ().get(STACK_MARKER) == str(self._home.root)
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive else None

    def launch(self, environment: Mapping[str, str]) -> None:
        """Start an empty supervisord whose programs inherit `environment`; returns once it answers."""
        programs = self._home.run / "programs"
        programs.mkdir(mode=PRIVATE_DIRECTORY_MODE, exist_ok=True)
        for stale in programs.glob("*.conf"):
            stale.unlink()
        sockets.make_directory(self._home)
        configuration = self._home.run / "supervisord.conf"
        write_private(configuration, self._render_configuration(programs))
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        marked_environment = {**environment, STACK_MARKER: str(self._home.root)}
        result = subprocess.run(command, env=marked_environment, check=False, capture_output=True, text=True)  # noqa: S603 - ours
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self.pid is None or not self._is_answering():
            if result.returncode or time.monotonic() > deadline:
                msg = f"supervisord does not start: {(result.stdout + result.stderr).strip()}"
                raise LocalError(msg, f"see {self._home.logs}/supervisord.log")
            time.sleep(0.05)

    def add(self, program: Program) -> None:
        """Start a program and keep it running."""
        write_private(self._home.run / "programs" / f"{program.name}.conf", format_section(program, self._home.logs))
        self._call("reloadConfig")
        self._call("addProcessGroup", program.name)

    def start(self, name: str) -> None:
        """Start an on-demand program; does nothing if it is running."""
        with suppress(LocalError):
            self._call("startProcess", name, False)

    def programs(self) -> list[ProgramInfo]:
        """All programs added; none if supervisord is not running."""
        if self.pid is None:
            return []
        rows = self._call("getAllProcessInfo")
        return [ProgramInfo(r["name"], r["statename"], r["pid"], r["spawnerr"] or r["description"]) for r in rows]

    def cpu_seconds(self, name: str) -> float:
        """CPU time used by a program and its children: a sign of progress, however busy the machine."""
        used = 0.0
        with suppress(psutil.Error):
            for pid in (info.pid for info in self.programs() if info.name == name and info.pid):
                process = psutil.Process(pid)
                used += sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True)))
        return used

    def request_stop(self, names: Collection[str]) -> None:
        """Stop programs in parallel, without waiting."""
        for info in self.programs():
            if info.name in names and info.state in {"RUNNING", "STARTING", "BACKOFF"}:
                with suppress(LocalError):  # it has exited meanwhile
                    self._call("stopProcess", info.name, False)

    def stop(self, names: Collection[str]) -> None:
        """Stop programs in parallel and wait; supervisord kills those that take too long."""
        self.request_stop(names)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while any(p.name in names and p.pid for p in self.programs()) and time.monotonic() < deadline:
            time.sleep(0.1)

    def restart(self, name: str) -> None:
        """Stop a program, kill it if it hangs, and start it again."""
        self.stop([name])
        with suppress(LocalError):  # it has been started meanwhile
            self._call("startProcess", name, False)

    def shutdown(self) -> None:
        """Stop the remaining programs and supervisord itself, which would take a second even if there are none."""
        if (pid := self.pid) is None:
            return
        process = psutil.Process(pid)
        if any(program.pid for program in self.programs()):
            self._call("shutdown")
            process.wait(STOP_TIMEOUT_SECONDS)
            return
        process.kill()
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:  # some init processes reap once a second
                time.sleep(0.01)

    def _render_configuration(self, programs: Path) -> str:
        """With absolute paths: supervisord fails on a `%` in the expansion of its own `%(here)s`."""
        return CONFIGURATION_TEMPLATE.format(
            user="user=root" if os.geteuid() == 0 else "",
            logs=escape_percent(self._home.logs),
            run=escape_percent(self._home.run),
            socket=escape_percent(self._socket),
            programs=_glob_pattern(programs),
        )

    def _is_answering(self) -> bool:
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def _call(self, method: str, *args: str | bool) -> Any:
        """Call `supervisor.<method>` through a new proxy: it is cheap, and not thread-safe."""
        transport = _UnixTransport(self._socket)
        proxy = ServerProxy("http://localhost", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*args)
        except Error as error:
            msg = f"supervisord rejected {method}({', '.join(map(str, args))}): {error}"
            raise LocalError(msg, f"see {self._home.logs}/supervisord.log") from error
        finally:
            transport.close()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=CALL_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CALL_TIMEOUT_SECONDS)
        self.sock.connect(str(self._path))


class _UnixTransport(Transport):
    """XML-RPC over a unix socket; supervisor's own transport would import its whole server."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """The transport's one connection, which `close` closes."""
        connection = _UnixConnection(self._path)
        self._connection = (host, connection)
        return connection


def _glob_pattern(directory: Path) -> str:
    """A pattern for the directory. Patterns are separated by spaces, so `?` stands for a space."""
    return "".join("?" if letter.isspace() else letter for letter in escape_percent(Path(glob.escape(str(directory)))))
