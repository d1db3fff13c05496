"""New ports are chosen if another program takes one before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_assets.core.settings import Feed, Settings
from edge_assets.local import stack
from edge_assets.local.errors import AddressTakenError
from edge_assets.local.plan import StartOptions
from edge_assets.local.supervisor import ProgramInfo
from tests.edge_assets.local.test_ports import occupy_port

if TYPE_CHECKING:
    from socket import socket

    from edge_assets.local.home import Home

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
