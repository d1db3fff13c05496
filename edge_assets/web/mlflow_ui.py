"""`python -m edge_assets.web.mlflow_ui server`: MLflow's server behind the guard, in one process.

MLflow checks the host itself, but accepts every name that starts with `10.` or `192.168.` as an address, and lets pages
of every other server on this machine read and write.
"""

from __future__ import annotations

import os
from typing import Any

import uvicorn

from edge_assets.core.settings import Settings
from edge_assets.private_interfaces.mlflow_server import create_app, run_mlflow
from edge_assets.web.connections import LimitedUploadProtocol, LimitedWebSocketProtocol
from edge_assets.web.guard import SECURITY_HEADERS, Guard

SHUTDOWN_TIMEOUT_SECONDS = 3
MLFLOW_HEADERS = {name: value for name, value in SECURITY_HEADERS.items() if name != "x-frame-options"} | {
    "content-security-policy": "frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
}
"""MLflow frames its own pages, and sets the header itself."""


def serve(host: str, port: int, **options: Any) -> None:
    """Serve MLflow's application in this process, in place of the one that its command would start."""
    settings = Settings()
    uvicorn.run(
        Guard(
            create_app(options),
            settings.edge_allowed_hosts,
            headers=MLFLOW_HEADERS,
            own_headers={"referrer-policy": "no-referrer"},
        ),
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
    os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"] = ",".join(_with_any_port(Settings().edge_allowed_hosts))
    run_mlflow(serve)


def _with_any_port(hosts: tuple[str, ...]) -> list[str]:
    """The hosts as MLflow patterns, with and without ports; unescaped brackets would be a character set."""
    names = [host if ":" not in host else f"[[]{host.strip('[]')}]" for host in hosts]
    return [pattern for name in names for pattern in (name, f"{name}:*")]


if __name__ == "__main__":
    main()
