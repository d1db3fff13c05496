"""Is it ready? Each probe is quick, never raises, and says yes only when the service can be used."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import psutil
import psycopg
import redis

from edge_assets.local.ports import HOST

if TYPE_CHECKING:
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
    return http_ok(port, path) and owns(supervisor, name, port)


def owns(supervisor: Supervisor, name: str, port: int) -> bool:
    """Whether a program or a child of it listens on a port."""
    pid = next((program.pid for program in supervisor.programs() if program.name == name), 0)
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] if pid else []
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for process in family
            for connection in process.net_connections("tcp")
        )
    except psutil.Error:
        return False


def listens_as(supervisor: Supervisor, name: str, port: int) -> bool:
    """Whether our program accepts connections."""
    return listens(port) and owns(supervisor, name, port)


def listens(port: int) -> bool:
    """Whether something accepts connections."""
    try:
        socket.create_connection((HOST, port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


def runs(supervisor: Supervisor, name: str) -> bool:
    """Whether it has been running long enough to count as started: for services that listen nowhere."""
    return any(program.name == name and program.state == "RUNNING" for program in supervisor.programs())
