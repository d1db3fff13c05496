"""The embedded PostgreSQL and Valkey."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
import redis

from edge_assets.local import disk, postgres, probes, shutdown, valkey
from edge_assets.local.errors import LocalError
from edge_assets.local.sockets import socket_path
from edge_assets.local.survivors import find_stack_processes
from tests.support.embedded_servers import Servers, eventually

if TYPE_CHECKING:
    from edge_assets.local.home import Home


def test_only_the_password_gives_access(servers: Servers) -> None:
    assert probes.is_postgres_ready(servers.database_url)
    assert not probes.is_postgres_ready(servers.database_url.replace(servers.home.secret("postgres"), "wrong"))
    assert probes.is_valkey_ready(servers.redis_url)
    assert not probes.is_valkey_ready(servers.redis_url.replace("redis://:", "redis://:wrong"))


def test_killed_servers_come_back_with_their_data(servers: Servers) -> None:
    with psycopg.connect(servers.database_url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("kept", "1")
        time.sleep(1.1)  # appendfsync everysec
    for name in ("postgres", "valkey"):
        before = servers.pid(name)
        os.kill(before, signal.SIGKILL)
        eventually(lambda name=name, before=before: servers.pid(name) not in {0, before})  # type: ignore[misc]
    eventually(lambda: probes.is_postgres_ready(servers.database_url))
    eventually(lambda: probes.is_valkey_ready(servers.redis_url))
    with psycopg.connect(servers.database_url) as conn:
        assert conn.execute("SELECT one FROM kept").fetchone() == (1,)
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.get("kept") == b"1"


def test_they_start_again_after_everything_crashed(servers: Servers) -> None:
    assert servers.supervisor.pid is not None
    postmaster, cache = servers.pid("postgres"), servers.pid("valkey")
    os.kill(servers.supervisor.pid, signal.SIGKILL)
    os.kill(postmaster, signal.SIGKILL)
    shutdown.down(servers.home)
    assert not list(find_stack_processes(servers.home))
    assert not socket_path(
        servers.home, "supervisor"
    ).parent.exists()  # below /tmp, as the path is too long for sockets
    assert not psutil.pid_exists(cache)
    servers.start()
    assert probes.is_postgres_ready(servers.database_url)


def test_data_of_another_major_version_is_refused(home: Home) -> None:
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("9\n")
    with pytest.raises(LocalError, match="was written by PostgreSQL 9, this is"):
        postgres.prepare_cluster(home, "secret")


def test_a_lost_password_is_replaced(servers: Servers) -> None:
    shutdown.down(servers.home)
    (servers.home.root / "secrets" / "postgres").unlink()
    servers.start()
    assert probes.is_postgres_ready(servers.database_url)


@pytest.mark.parametrize("content", ["", "{pid}\n/elsewhere\n"])
def test_a_stale_lock_file_does_not_prevent_a_start(servers: Servers, content: str) -> None:
    shutdown.down(servers.home)
    # PostgreSQL takes any process of its user for a running server, but not one of another user
    user = {"user": postgres.SYSTEM_USER} if os.geteuid() == 0 else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **user) as foreign:  # type: ignore[call-overload]
        lock = servers.home.postgres / "postmaster.pid"
        lock.write_text(content.format(pid=foreign.pid))
        servers.start()
        assert probes.is_postgres_ready(servers.database_url)
        assert foreign.poll() is None
        foreign.kill()


def test_a_damaged_stream_is_reported_with_file_and_remedy(servers: Servers) -> None:
    shutdown.down(servers.home)
    manifest = servers.home.valkey / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("")
    cache = valkey.server_program(servers.home, servers.valkey_port, servers.home.secret("valkey"))
    message = subprocess.run(cache.command, capture_output=True, text=True, check=False, timeout=60).stdout
    damaged = valkey.find_damage(servers.home, message)
    assert str(damaged) == f"valkey cannot read {manifest}: Found an empty AOF manifest"
    assert damaged is not None
    assert damaged.remedy.startswith(f"mv '{manifest.parent}' ")
    assert valkey.find_damage(servers.home, "# Could not create server TCP listening socket") is None
    subprocess.run(damaged.remedy.partition(", then")[0], shell=True, check=True)
    servers.start()
    assert probes.is_valkey_ready(servers.redis_url)


def test_disk_space_is_reserved_for_recovery(servers: Servers) -> None:
    assert servers.home.reserve.stat().st_blocks * 512 >= disk.RESERVE_BYTES
    assert not disk.release_reserve(servers.home.reserve)  # the disk is not full
