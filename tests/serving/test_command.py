"""`python -m serving` as a process."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.support.servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a secret for tests only, thirty-two bytes or more"


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Any) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HOME": str(tmp_path), "JWT_SECRET": SECRET}


@contextmanager
def serving(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "serving", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_it_serves_until_terminated(environment: dict[str, str]) -> None:
    port = free_port()
    with serving(environment, port) as process:
        transport = httpx2.HTTPTransport(retries=20)
        with httpx2.Client(transport=transport, timeout=20) as http:
            assert http.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ok"
        process.terminate()
        _, log = process.communicate(timeout=20)
    assert f"listening on http://127.0.0.1:{port}" in log
    assert "Traceback" not in log
    assert SECRET not in log


def test_a_missing_secret_is_named(environment: dict[str, str]) -> None:
    del environment["JWT_SECRET"]
    with serving(environment, 0) as process:
        _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "JWT_SECRET is not set" in log
    assert "Traceback" not in log


def test_an_occupied_port_is_named(environment: dict[str, str]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        serving(environment, taken.getsockname()[1]) as process,
    ):
        _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Address already in use" in log
    assert "Traceback" not in log
