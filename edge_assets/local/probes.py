"""Readiness probes. Each is quick, never raises, and returns True only if the service can be used."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import psycopg
import redis

from edge_assets.local.listeners import owns_port
from edge_assets.local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.local.supervisor import Supervisor

PROBE_TIMEOUT_SECONDS = 2.0


def is_postgres_ready(url: str) -> bool:
    """Whether the database accepts our connection."""
    try:
        psycopg.connect(url, connect_timeout=int(PROBE_TIMEOUT_SECONDS)).close()
    except psycopg.OperationalError:
        return False
    return True


def is_valkey_ready(url: str) -> bool:
    """Whether the server answers PING and has loaded its data."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=PROBE_TIMEOUT_SECONDS, socket_connect_timeout=PROBE_TIMEOUT_SECONDS
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def is_http_ok(port: int, path: str) -> bool:
    """Whether GET returns 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_serving(supervisor: Supervisor, name: str, port: int, path: str) -> bool:
    """Whether GET returns 200 from our program: another home's may have taken the port."""
    return is_http_ok(port, path) and owns_port(supervisor.programs(), name, port)


def is_program_listening(supervisor: Supervisor, name: str, port: int) -> bool:
    """Whether our program accepts connections."""
    return is_listening(port) and owns_port(supervisor.programs(), name, port)


def is_listening(port: int) -> bool:
    """Whether something accepts connections."""
    try:
        socket.create_connection((HOST, port), timeout=PROBE_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def is_socket_listening(path: Path) -> bool:
    """Whether something accepts connections at a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PROBE_TIMEOUT_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def is_program_running(supervisor: Supervisor, name: str) -> bool:
    """Whether a program counts as started: for services that do not listen."""
    return any(program.name == name and program.state == "RUNNING" for program in supervisor.programs())
