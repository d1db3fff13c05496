"""Private interfaces of MLflow's server: its command starts one of its own, and takes no middleware."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import mlflow.server
from mlflow.cli import cli
from mlflow.server import constants

from edge_assets.private_interfaces.replacing import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp

SERVER_VARIABLE = "_MLFLOW_SGI_NAME"


def run_mlflow(serve: Callable[..., None]) -> None:
    """What the command `mlflow` does; `serve` starts the server, with the host, the port and the options given."""
    replace_attribute(mlflow.server, "_run_server", serve)
    cli()


def create_app(options: Mapping[str, Any]) -> ASGIApp:
    """MLflow's application for the options of its command. Once a process: it reads the environment when imported."""
    variables = {
        constants.BACKEND_STORE_URI_ENV_VAR: options["file_store_path"],
        constants.REGISTRY_STORE_URI_ENV_VAR: options["registry_store_uri"],
        constants.ARTIFACT_ROOT_ENV_VAR: options["default_artifact_root"],
        constants.SERVE_ARTIFACTS_ENV_VAR: "true" if options["serve_artifacts"] else None,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: options["artifacts_destination"],
        SERVER_VARIABLE: "uvicorn",
    }
    os.environ.update({name: value for name, value in variables.items() if value})
    from mlflow.server.fastapi_app import app  # noqa: PLC0415

    return cast("ASGIApp", app)
