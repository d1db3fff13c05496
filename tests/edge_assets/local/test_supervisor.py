from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from edge_assets.local import probes, shutdown
from edge_assets.local.errors import LocalError
from edge_assets.local.home import Home
from edge_assets.local.programs import Program
from edge_assets.local.shutdown import down
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.survivors import find_stack_processes
from tests.support.embedded_servers import eventually
from tests.support.servers.processes import free_port

SLEEPER = (sys.executable, "-c", "import time; print('100% awake', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.setsid(); time.sleep(600)",
)
PARENT = (sys.executable, "-c", f"import subprocess, sys; subprocess.run({list(STUBBORN)!r})")


@pytest.fixture
def supervisor(home: Home) -> Supervisor:
    supervisor = Supervisor(home)
    supervisor.launch({**os.environ, "ODD": "100% of 'quotes' and \"quotes\""})
    return supervisor


def pid(supervisor: Supervisor, name: str) -> int:
    return next((p.pid for p in supervisor.programs() if p.name == name), 0)


def test_a_killed_program_comes_back(supervisor: Supervisor, home: Home) -> None:
    supervisor.add(Program("sleeper", SLEEPER, environment={"PLACE": "50% off"}))
    eventually(lambda: pid(supervisor, "sleeper") > 0)
    first = pid(supervisor, "sleeper")
    eventually(lambda: (home.logs / "sleeper.log").read_text() == "100% awake\n")
    environment = psutil.Process(first).environ()
    assert (environment["PLACE"], environment["ODD"]) == ("50% off", "100% of 'quotes' and \"quotes\"")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: pid(supervisor, "sleeper") not in {0, first})


def test_a_program_that_keeps_exiting_is_not_running(supervisor: Supervisor) -> None:
    supervisor.add(Program("failing", (sys.executable, "-c", "raise SystemExit('no luck')")))
    eventually(lambda: supervisor.programs()[0].state == "BACKOFF")


def test_a_port_belongs_to_the_program_that_listens_on_it(supervisor: Supervisor) -> None:
    """Not to a program that merely runs while another home's server has the port."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        foreign, port = elsewhere.getsockname()[1], free_port()
        supervisor.add(Program("server", (sys.executable, "-m", "http.server", "-b", "127.0.0.1", str(port))))
        eventually(lambda: probes.is_serving(supervisor, "server", port, "/"))
        assert probes.is_listening(foreign)
        assert not probes.is_program_listening(supervisor, "server", foreign)


def test_a_missing_program_file_is_reported(supervisor: Supervisor) -> None:
    supervisor.add(Program("missing", ("/nowhere/at all",)))
    eventually(lambda: "can't find command" in supervisor.programs()[0].description)


def test_down_ends_everything(supervisor: Supervisor, home: Home) -> None:
    supervisor.add(Program("sleeper", SLEEPER))
    eventually(lambda: pid(supervisor, "sleeper") > 0)
    assert down(home) == 2
    assert not list(find_stack_processes(home))
    assert supervisor.pid is None
    assert supervisor.programs() == []
    assert down(home) == 0


def test_down_ends_what_a_killed_supervisor_left(
    supervisor: Supervisor, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "TERMINATE_TIMEOUT_SECONDS", 1.0)
    supervisor.add(Program("parent", PARENT))
    eventually(lambda: len(list(find_stack_processes(home))) == 3)
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: supervisor.pid is None)
    assert down(home) == 2
    assert not list(find_stack_processes(home))


def test_a_socket_directory_open_to_others_is_refused() -> None:
    with TemporaryDirectory() as short:  # with a long path, the socket would be elsewhere
        home = Home.open(Path(short))
        home.run.chmod(0o777)
        with pytest.raises(LocalError, match="accessible to other users"):
            Supervisor(home).launch(os.environ)


def test_a_stale_pid_file_is_not_a_running_supervisor(home: Home) -> None:
    (home.run / "supervisord.pid").write_text(str(os.getpid()))
    assert Supervisor(home).pid is None
    (home.run / "supervisord.pid").write_text("garbage")
    assert Supervisor(home).pid is None
    supervisor = Supervisor(home)
    supervisor.launch(os.environ)
    assert supervisor.pid not in {None, os.getpid()}


def test_a_supervisor_that_does_not_start_is_reported(home: Home) -> None:
    (home.logs / "supervisord.log").mkdir()
    with pytest.raises(LocalError, match="supervisord does not start"):
        Supervisor(home).launch(os.environ)
