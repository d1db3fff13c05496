"""DAGSTER_HOME and the code locations, as the project's own `dagster.yaml` and `workspace.yaml` say."""

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
    """A code location."""

    name: str
    module: str

    @property
    def service(self) -> str:
        """The name of its code server."""
        return f"code-{self.name}"


def load_code_locations() -> list[CodeLocation]:
    """The locations of `workspace.yaml`."""
    import yaml  # noqa: PLC0415 - only to start: `edge status` knows them from the plan

    workspace = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text())
    modules = [entry["python_module"] for entry in workspace["load_from"]]
    return [CodeLocation(module["location_name"], module["module_name"]) for module in modules]


def write_dagster_home(home: Home) -> None:
    """Lay out DAGSTER_HOME: the project's instance, and a workspace of the running code servers.

    With servers of their own the code is loaded once, not by the webserver and the daemon each. They have no
    authentication, and whoever can connect can run code: they listen on sockets that only this user can reach.
    """
    shutil.copyfile(PROJECT_DIR / "dagster.yaml", home.dagster / "dagster.yaml")
    servers = [
        {"grpc_server": {"socket": str(socket_path(home, place.service)), "location_name": place.name}}
        for place in load_code_locations()
    ]
    workspace_file(home).write_text(json.dumps({"load_from": servers}))


def workspace_file(home: Home) -> Path:
    """The generated workspace; JSON is YAML."""
    return home.dagster / "workspace.yaml"
