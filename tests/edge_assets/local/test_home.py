from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_assets.local.errors import LocalError
from edge_assets.local.home import Home, write_private
from edge_assets.local.plan import Plan

HOLDER = """
import sys, time
from pathlib import Path
from edge_assets.local.home import Home
with Home.open(Path(sys.argv[1])).lock():
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
    home.set_state("ports", {"serving": 1})
    home.set_state("other", "fact")
    assert Home(home.root).get_state("ports") == {"serving": 1}
    assert home.get_state("unknown", "default") == "default"


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be used as EDGE_HOME"):
        Home.open(tmp_path / "file" / "home")


def test_two_commands_do_not_start_the_same_stack_and_a_killed_one_holds_nothing(home: Home) -> None:
    command = [sys.executable, "-c", HOLDER, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LocalError, match=rf"pid {holder.pid}\) is starting or stopping"), home.lock():
            pass
        holder.send_signal(signal.SIGKILL)
    with home.lock():
        assert (home.root / "lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("torn", ["", '{"ports": {"serv', "[]", "\x00" * 40])
def test_a_torn_file_is_told_with_its_name_and_a_remedy(home: Home, torn: str) -> None:
    (home.root / "state.json").write_text(torn)
    with pytest.raises(LocalError, match=r"/state\.json is (empty|damaged)") as caught:
        home.get_state("ports")
    assert "delete it" in caught.value.remedy
    (home.run / "stack.json").write_text(torn)
    with pytest.raises(LocalError, match=r"/stack\.json is (empty|damaged)") as caught:
        Plan.load(home)
    assert "edge up" in caught.value.remedy


def test_a_plan_of_another_version_is_told(home: Home) -> None:
    (home.run / "stack.json").write_text('{"feed": "simulate"}')
    with pytest.raises(LocalError, match=r"stack\.json was not written by this version: 'feed_identity'"):
        Plan.load(home)


@pytest.mark.parametrize("torn", ["", "0123456789abcdef"])
def test_a_torn_secret_is_told_and_never_taken_for_a_password(home: Home, torn: str) -> None:
    path = home.root / "secrets" / "jwt"
    home.secret("jwt")
    path.write_text(torn)
    with pytest.raises(LocalError, match="secrets/jwt is damaged") as caught:
        home.secret("jwt")
    assert "delete it" in caught.value.remedy


def test_a_private_file_is_on_the_disk_before_it_has_its_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append("sync")
        fsync(descriptor)

    def renamed(old: Path, new: Path) -> Path:
        done.append("rename")
        return replace(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_private(home.root / "kept", "words")
    assert done == ["sync", "rename", "sync"]
    assert [path.name for path in home.root.glob(".kept*")] == []
