"""New ports are chosen if another program takes one before it is used; the end of a start is recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.health.assessment import STACK
from edge_assets.local import stack
from edge_assets.local.errors import AddressTakenError
from edge_assets.local.plan import StartOptions, make_plan, with_database
from edge_assets.local.supervisor import ProgramInfo
from edge_assets.store.health.problems import load_heartbeats
from edge_assets.store.health.vital_signs import reset_health
from edge_assets.store.postgres.database import connect, ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.edge_assets.local.test_ports import occupy_port

if TYPE_CHECKING:
    from datetime import datetime
    from socket import socket

    from edge_assets.local.home import Home
    from tests.support.embedded_servers import Servers

MESSAGE = "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 3000): address already in use\n"


def nothing(*_: object) -> None:
    """Report nothing."""


@pytest.mark.parametrize(("losses", "is_up"), [(stack.MAX_PORT_ATTEMPTS - 1, True), (stack.MAX_PORT_ATTEMPTS, False)])
def test_ports_are_chosen_again_a_few_times(
    home: Home, monkeypatch: pytest.MonkeyPatch, losses: int, is_up: bool
) -> None:
    chosen: list[int] = []
    taken: list[socket] = []

    def start(self: stack._Stack, report: object) -> None:
        """Lose the race for a port `losses` times, with the log of the service."""
        assert self.plan.valkey_port
        chosen.append(self.plan.valkey_port)
        if len(chosen) <= losses:
            taken.append(occupy_port(self.plan.valkey_port))
            (home.logs / "valkey.log").write_text(MESSAGE)
            raise self._startup_error(ProgramInfo("valkey", "BACKOFF", 0, "exited too quickly"))

    monkeypatch.setattr(stack._Stack, "start", start)
    try:
        if is_up:
            plan = stack.up(home, Settings(), StartOptions(Feed.SIMULATE), nothing)
            assert plan.valkey_port == chosen[-1]
        else:
            with pytest.raises(AddressTakenError, match="took the port of valkey"):
                stack.up(home, Settings(), StartOptions(Feed.SIMULATE), nothing)
    finally:
        for listener in taken:
            listener.close()
    assert len(set(chosen)) == stack.MAX_PORT_ATTEMPTS


def test_the_grace_for_a_start_counts_from_its_end(
    home: Home, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow machine the sensor first ticks minutes after the migrations."""
    database_url = with_database(servers.database_url, "edge_start_grace")
    plan = replace(make_plan(Settings(), home, StartOptions(Feed.SIMULATE)), database_url=database_url)
    ensure_database(servers.database_url, "edge_start_grace")
    started: list[datetime] = []

    def start_in_order(*_: object) -> None:
        upgrade(database_url)
        with connect(database_url, "test") as conn:
            reset_health(conn, STACK)
            started.append(load_heartbeats(conn)[STACK].beat_at)

    monkeypatch.setattr(stack, "start_in_order", start_in_order)
    stack._Stack(home, Settings(), replace(plan, postgres_port=None), fresh=False).start(nothing)
    with connect(database_url, "test") as conn:
        assert load_heartbeats(conn)[STACK].beat_at > started[0]
