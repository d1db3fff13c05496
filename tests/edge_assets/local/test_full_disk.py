"""A full disk: the database recovers with its reserve, and without help once there is space again."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.local import disk, launcher, postgres, probes, shutdown
from edge_assets.local.disk import MIB
from edge_assets.local.home import Home
from tests.support.embedded_servers import Servers, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.chaos
SMALL = {"RESERVE_BYTES": 64 * MIB, "RELEASE_BELOW_FREE_BYTES": 32 * MIB, "ALLOCATE_ABOVE_FREE_BYTES": 96 * MIB}
"""The reserve for a disk of 400 MiB, which is filled within seconds."""
SMALL_LAUNCHER = """
import sys
from pathlib import Path
from edge_assets.local import disk
from edge_assets.local.launcher import launch
vars(disk).update({sizes!r})
launch(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A separate file system."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=0711", "tmpfs", str(mount_point)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root, and does not work in every container")
    yield mount_point
    subprocess.run(["umount", "--lazy", str(mount_point)], check=True)


@pytest.fixture
def servers(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    for name, size in SMALL.items():
        monkeypatch.setattr(disk, name, size)
    home = Home.open(small_disk / "home")
    servers = Servers.of(home)
    whole = postgres.server_program(home, servers.postgres_port)
    small = home.root / "small_launcher.py"
    small.write_text(SMALL_LAUNCHER.format(sizes=SMALL))
    assert whole.command[2] == launcher.__name__
    program = replace(whole, command=(sys.executable, str(small), *whole.command[3:]))
    monkeypatch.setattr(postgres, "server_program", lambda *_: program)
    servers.start()
    yield servers
    shutdown.down(home)


def test_the_database_recovers_from_a_full_disk(servers: Servers, small_disk: Path) -> None:
    eventually(lambda: probes.is_postgres_ready(servers.database_url), 60)
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept AS SELECT n, repeat('x', 500) AS words FROM generate_series(1, 1000) AS n")
    assert servers.home.reserve.exists()

    first = servers.pid("postgres")
    _fill(small_disk)
    with suppress(psycopg.Error), psycopg.connect(servers.database_url, autocommit=True) as conn:
        while True:  # until the log cannot be written and the server exits
            conn.execute("INSERT INTO kept SELECT -n, repeat('y', 500) FROM generate_series(1, 20000) AS n")
    os.kill(servers.pid("postgres") or first, 9)  # it may have reused an old log file; what matters is the recovery
    eventually(lambda: not servers.home.reserve.exists(), 60)
    eventually(lambda: probes.is_postgres_ready(servers.database_url), 120)  # though no space was freed

    (small_disk / "filler").unlink()
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM kept WHERE n > 0").fetchone() == (1000,)
        conn.execute("INSERT INTO kept SELECT n, 'again' FROM generate_series(1001, 1100) AS n")
    assert disk.ensure_reserve(servers.home.reserve)


def _fill(folder: Path) -> None:
    """Fill the disk to the last block."""
    with suppress(OSError), (folder / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(MIB))
