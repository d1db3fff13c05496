"""DAGSTER_HOME and the code locations, from the project's `dagster.yaml` and `workspace.yaml`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.local.sockets import socket_path

if TYPE_CHECKING:
    from edge_assets.local.home import Home

PROJECT_DIR = Path(__file__).parents[2]
ESSENTIAL_LOCATION = "ingest"


class CodeLocation(NamedTuple):
    """A code location of Dagster: a name and a Python module."""

    name: str
    module: str

    @property
    def service(self) -> str:
        """The name of its code server."""
        return f"code-{self.name}"


def load_code_locations() -> list[CodeLocation]:
    """The locations of `workspace.yaml`."""
    import yaml  # noqa: PLC0415 - needed only to start and stop; `edge status` must stay quick

    workspace = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text())
    modules = [entry["python_module"] for entry in workspace["load_from"]]
    return [CodeLocation(module["location_name"], module["module_name"]) for module in modules]


def write_dagster_home(home: Home) -> None:
    """Write DAGSTER_HOME: the project's instance, and a workspace of the running code servers.

    Separate code servers load the code once, rather than in the webserver and the daemon. They have no
    authentication, and any client can run code, so they listen on sockets that only this user can open.
    """
    shutil.copyfile(PROJECT_DIR / "dagster.yaml", home.dagster / "dagster.yaml")
    servers = [
        {"grpc_server": {"socket": str(socket_path(home, location.service)), "location_name": location.name}}
        for location in load_code_locations()
    ]
    workspace_file(home).write_text(json.dumps({"load_from": servers}))


def workspace_file(home: Home) -> Path:
    """The generated workspace; JSON is YAML."""
    return home.dagster / "workspace.yaml"
