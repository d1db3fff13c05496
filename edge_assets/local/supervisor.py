"""Starting, watching and stopping programs through supervisord, over XML-RPC on its unix socket."""

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
"""Set, to the home, in the environment of everything that a stack starts, so that nothing of it can hide."""
START_TIMEOUT_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 40.0
CALL_TIMEOUT_SECONDS = 10.0
"""After which a supervisord that says nothing counts as hanging; it answers in milliseconds."""

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
    """How a program fares: supervisord's state name, pid (0: none) and its own words."""

    name: str
    state: str
    pid: int
    description: str


class Supervisor:
    """One home's supervisord; it may or may not be running."""

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
        """Start a program that waits to be asked for; one that runs already is none the worse."""
        with suppress(LocalError):
            self._call("startProcess", name, False)

    def programs(self) -> list[ProgramInfo]:
        """Every program that was added; none if supervisord does not run."""
        if self.pid is None:
            return []
        rows = self._call("getAllProcessInfo")
        return [ProgramInfo(r["name"], r["statename"], r["pid"], r["spawnerr"] or r["description"]) for r in rows]

    def cpu_seconds(self, name: str) -> float:
        """What a program and its children have computed so far: a sign that it is alive, however busy the machine."""
        used = 0.0
        with suppress(psutil.Error):
            for pid in (info.pid for info in self.programs() if info.name == name and info.pid):
                process = psutil.Process(pid)
                used += sum(sum(p.cpu_times()[:2]) for p in (process, *process.children(recursive=True)))
        return used

    def request_stop(self, names: Collection[str]) -> None:
        """Have programs end side by side, without waiting for it."""
        for info in self.programs():
            if info.name in names and info.state in {"RUNNING", "STARTING", "BACKOFF"}:
                with suppress(LocalError):  # it ended by itself in the meantime
                    self._call("stopProcess", info.name, False)

    def stop(self, names: Collection[str]) -> None:
        """Stop programs side by side and wait for their end (supervisord kills those that dawdle)."""
        self.request_stop(names)
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        while any(p.name in names and p.pid for p in self.programs()) and time.monotonic() < deadline:
            time.sleep(0.1)

    def restart(self, name: str) -> None:
        """Stop a program, kill it if it hangs, and start it again."""
        self.stop([name])
        with suppress(LocalError):  # it was started in the meantime
            self._call("startProcess", name, False)

    def shutdown(self) -> None:
        """Stop what still runs, and supervisord itself."""
        if (pid := self.pid) is None:
            return
        process = psutil.Process(pid)
        self._call("shutdown")
        process.wait(STOP_TIMEOUT_SECONDS)

    def _render_configuration(self, programs: Path) -> str:
        """Paths are written out: supervisord takes a `%` in its own `%(here)s` for the begin of a variable."""
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
        """Call `supervisor.<method>`. A proxy a call: it is cheap, and not to be shared by threads."""
        transport = _UnixTransport(self._socket)
        proxy = ServerProxy("http://localhost", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*args)
        except Error as error:
            msg = f"supervisord refuses {method}({', '.join(map(str, args))}): {error}"
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
    """XML-RPC over a unix socket; supervisor's own imports its whole server."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """The one connection that there is, which `close` closes."""
        connection = _UnixConnection(self._path)
        self._connection = (host, connection)
        return connection


def _glob_pattern(directory: Path) -> str:
    """Matches the directory and no other that is likely: patterns are separated by spaces."""
    return "".join("?" if letter.isspace() else letter for letter in escape_percent(Path(glob.escape(str(directory)))))
