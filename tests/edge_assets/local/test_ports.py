from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from edge_assets.local import ports
from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from edge_assets.local.home import Home


def occupy_port(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.bind((ports.HOST, port))
    listener.listen()
    return listener


def test_a_port_is_used_again(home: Home) -> None:
    port = ports.allocate_port(home, "feed")
    assert ports.is_free(port)
    assert ports.allocate_port(home, "feed") == port
    assert ports.allocate_port(home, "postgres") != port


def test_the_preferred_port_comes_first_unless_it_is_taken(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with occupy_port() as listener:
        taken = listener.getsockname()[1]
        monkeypatch.setitem(ports.PREFERRED_PORTS, "serving", taken)
        other = ports.allocate_port(home, "serving")
        assert other != taken
        assert ports.allocate_port(home, "serving") == other
    assert ports.allocate_port(home, "serving") == taken


def test_a_requested_port_is_used_or_refused(home: Home) -> None:
    with occupy_port() as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {taken} is taken"):
            ports.allocate_port(home, "serving", taken)
    assert ports.allocate_port(home, "serving", taken) == taken
