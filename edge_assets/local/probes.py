"""Is it ready? Each probe is quick, never raises, and says yes only when the service can be used."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import psycopg
import redis

from edge_assets.local.listeners import owns
from edge_assets.local.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.local.supervisor import Supervisor

SECONDS = 2.0


def postgres(url: str) -> bool:
    """Whether the database lets us in."""
    try:
        psycopg.connect(url, connect_timeout=int(SECONDS)).close()
    except psycopg.OperationalError:
        return False
    return True


def valkey(url: str) -> bool:
    """Whether the server answers PING and has read its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def http_ok(port: int, path: str) -> bool:
    """Whether GET answers with 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def serves(supervisor: Supervisor, name: str, port: int, path: str) -> bool:
    """Whether GET answers with 200, and it is our program that does: another home's may have taken the port."""
    return http_ok(port, path) and owns(supervisor.programs(), name, port)


def listens_as(supervisor: Supervisor, name: str, port: int) -> bool:
    """Whether our program accepts connections."""
    return listens(port) and owns(supervisor.programs(), name, port)


def listens(port: int) -> bool:
    """Whether something accepts connections."""
    try:
        socket.create_connection((HOST, port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def answers_at(path: Path) -> bool:
    """Whether something accepts connections at a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def runs(supervisor: Supervisor, name: str) -> bool:
    """Whether it has been running long enough to count as started: for services that listen nowhere."""
    return any(program.name == name and program.state == "RUNNING" for program in supervisor.programs())
