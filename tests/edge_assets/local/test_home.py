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


def test_state_survives_the_process(home: Home) -> None:
    home.set_state("ports", {"serving": 1})
    home.set_state("other", "value")
    assert Home(home.root).get_state("ports") == {"serving": 1}
    assert home.get_state("unknown", "default") == "default"


def test_a_path_that_is_not_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be used as EDGE_HOME"):
        Home.open(tmp_path / "file" / "home")


def test_only_one_command_holds_the_lock_and_a_killed_one_releases_it(home: Home) -> None:
    command = [sys.executable, "-c", HOLDER, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LocalError, match=rf"pid {holder.pid}\) is using"), home.lock():
            pass
        holder.send_signal(signal.SIGKILL)
    with home.lock():
        assert (home.root / "lock").read_text() == str(os.getpid())


@pytest.mark.parametrize("content", ["", '{"ports": {"serv', "[]", "\x00" * 40])
def test_a_damaged_file_is_reported_with_its_name_and_a_remedy(home: Home, content: str) -> None:
    (home.root / "state.json").write_text(content)
    with pytest.raises(LocalError, match=r"/state\.json is (empty|damaged)") as caught:
        home.get_state("ports")
    assert "delete it" in caught.value.remedy
    (home.run / "stack.json").write_text(content)
    with pytest.raises(LocalError, match=r"/stack\.json is (empty|damaged)") as caught:
        Plan.load(home)
    assert "edge up" in caught.value.remedy


def test_a_plan_of_another_version_is_reported(home: Home) -> None:
    (home.run / "stack.json").write_text('{"feed": "simulate"}')
    with pytest.raises(LocalError, match=r"stack\.json was not written by this version: 'feed_identity'"):
        Plan.load(home)


@pytest.mark.parametrize("content", ["", "0123456789abcdef"])
def test_a_damaged_secret_is_reported_and_never_used(home: Home, content: str) -> None:
    path = home.root / "secrets" / "jwt"
    home.secret("jwt")
    path.write_text(content)
    with pytest.raises(LocalError, match="secrets/jwt is damaged") as caught:
        home.secret("jwt")
    assert "delete it" in caught.value.remedy


def test_a_private_file_is_synced_before_it_is_renamed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def record_sync(descriptor: int) -> None:
        calls.append("sync")
        fsync(descriptor)

    def record_rename(old: Path, new: Path) -> Path:
        calls.append("rename")
        return replace(old, new)

    monkeypatch.setattr(os, "fsync", record_sync)
    monkeypatch.setattr(Path, "replace", record_rename)
    write_private(home.root / "kept", "words")
    assert calls == ["sync", "rename", "sync"]
    assert [path.name for path in home.root.glob(".kept*")] == []
