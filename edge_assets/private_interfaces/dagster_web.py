"""Private interfaces of Dagster's web server: its command makes the application itself, and takes no middleware."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dagster_webserver import cli

from edge_assets.private_interfaces.replacing import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

CREATE_APP_FUNCTION = "create_app_from_workspace_process_context"


def run_webserver(wrap: Callable[[ASGIApp], ASGIApp], run: Callable[..., None]) -> None:
    """What the command `dagster-webserver` does, with its application wrapped and served by `run` for `uvicorn.run`."""

    def create_wrapped(*args: Any, **kwargs: Any) -> ASGIApp:
        return wrap(create_app(*args, **kwargs))

    create_app = replace_attribute(cli, CREATE_APP_FUNCTION, create_wrapped)
    replace_attribute(cli, "uvicorn", SimpleNamespace(run=run))
    cli.main()  # type: ignore[no-untyped-call]  # Dagster's command has no types
