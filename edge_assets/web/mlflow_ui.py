"""`python -m edge_assets.web.mlflow_ui server`: MLflow's server as it is, with the guard before it, in one process.

MLflow looks at the host itself, but takes every name that begins with `10.` or `192.168.` for an address, and lets the
pages of every other server on this machine read and write.
"""

from __future__ import annotations

import os
from typing import Any

import mlflow.server
import uvicorn
from mlflow.cli import cli
from mlflow.server import constants

from edge_assets.core.settings import Settings
from edge_assets.web.connections import LimitedUploadProtocol, LimitedWebSocketProtocol
from edge_assets.web.guard import SECURITY_HEADERS, Guard

SHUTDOWN_TIMEOUT_SECONDS = 3
MLFLOW_HEADERS = {name: value for name, value in SECURITY_HEADERS.items() if name != "x-frame-options"} | {
    "content-security-policy": "frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
}
"""MLflow frames pages of its own, and says so itself."""


def serve(host: str, port: int, **options: Any) -> None:
    """Serve MLflow's application in this process, in place of the one that its command would start."""
    variables = {
        constants.BACKEND_STORE_URI_ENV_VAR: options["file_store_path"],
        constants.REGISTRY_STORE_URI_ENV_VAR: options["registry_store_uri"],
        constants.ARTIFACT_ROOT_ENV_VAR: options["default_artifact_root"],
        constants.SERVE_ARTIFACTS_ENV_VAR: "true" if options["serve_artifacts"] else None,
        constants.ARTIFACTS_DESTINATION_ENV_VAR: options["artifacts_destination"],
        "_MLFLOW_SGI_NAME": "uvicorn",
    }
    os.environ.update({name: value for name, value in variables.items() if value})
    from mlflow.server.fastapi_app import app  # noqa: PLC0415 - it reads the environment as it is imported

    settings = Settings()
    uvicorn.run(
        Guard(app, settings.edge_allowed_hosts, headers=MLFLOW_HEADERS, own_headers={"referrer-policy": "no-referrer"}),
        host=host,
        port=int(port),
        http=LimitedUploadProtocol,
        ws=LimitedWebSocketProtocol,
        log_level="warning",
        proxy_headers=bool(settings.edge_trusted_proxies),
        forwarded_allow_ips=list(settings.edge_trusted_proxies),
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
    )


def main() -> None:
    """Run MLflow's command line, with a server of our own."""
    mlflow.server._run_server = serve  # its command has no way to say what stands before
    os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join(_with_any_port(Settings().edge_allowed_hosts))
    cli()


def _with_any_port(hosts: tuple[str, ...]) -> list[str]:
    """The hosts as MLflow matches them, which is with their ports; brackets would be a set of characters to it."""
    names = [host if ":" not in host else f"[[]{host.strip('[]')}]" for host in hosts]
    return [pattern for name in names for pattern in (name, f"{name}:*")]


if __name__ == "__main__":
    main()
