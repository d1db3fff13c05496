from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from edge_assets.local.errors import LocalError
from edge_assets.local.home import Home

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, time
from pathlib import Path
from edge_assets.local.home import Home
with Home.open(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_secret_is_made_once_and_is_private(home: Home) -> None:
    secret = home.secret("jwt")
    assert len(secret) == 64
    assert home.secret("jwt") == secret != home.secret("postgres")
    for path in (home.root / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert (home.root / "secrets").stat().st_mode & 0o077 == 0


def test_facts_outlive_the_process(home: Home) -> None:
    home.remember("ports", {"serving": 1})
    home.remember("other", "fact")
    assert Home(home.root).recall("ports") == {"serving": 1}
    assert home.recall("unknown", "default") == "default"


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be used as EDGE_HOME"):
        Home.open(tmp_path / "file" / "home")


def test_two_commands_do_not_start_the_same_stack_and_a_killed_one_holds_nothing(home: Home) -> None:
    command = [sys.executable, "-c", HOLDER, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LocalError, match=rf"pid {holder.pid}\) is starting or stopping"), home.locked():
            pass
        holder.send_signal(signal.SIGKILL)
    with home.locked():
        assert (home.root / "lock").read_text() == str(os.getpid())
