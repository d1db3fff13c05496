"""`python -m edge_assets.web.dagster_ui`: Dagster's web server as it is, with the guard before it.

Its GraphQL takes mutations, `launchRun` and `shutdownRepositoryLocation` among them, from a GET and from a form's
POST of whatever page.
"""

from __future__ import annotations

import os
from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import uvicorn
from dagster_webserver import cli

from edge_assets.settings import Settings
from edge_assets.web.connections import HttpConnection, StreamConnection
from edge_assets.web.guard import Guard, Refusal, not_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Scope

GRAPHQL = "/graphql"
CREATE_APPLICATION = "create_app_from_workspace_process_context"
"""The name by which Dagster's command makes its application; it takes no middleware."""


def graphql_by_get(scope: Scope, _: Headers) -> Refusal | None:
    """Refuse a query in the address; without one it is the page to write queries on."""
    if scope["type"] != "http" or scope["method"] == "POST" or not scope["path"].rstrip("/").endswith(GRAPHQL):
        return None
    if not parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).keys() & {"query", "variables"}:
        return None
    return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "send GraphQL as a POST of application/json")


def upward(scope: Scope, _: Headers) -> Refusal | None:
    """Refuse a path that leads upwards: Dagster does not follow one among its logs, and fails over it."""
    if ".." not in scope["path"].split("/"):
        return None
    return Refusal(HTTPStatus.NOT_FOUND, "there is no such page")


def guarded(app: ASGIApp, hosts: Collection[str]) -> Guard:
    """Dagster's application behind the guard. No other page may frame it: a click on it could launch a run."""
    return Guard(app, hosts, (not_json, graphql_by_get, upward), own_headers={"referrer-policy": "no-referrer"})


def main() -> None:
    """Serve, with the options of `dagster-webserver`."""
    settings = Settings()
    namespace = vars(cli)
    create = namespace[CREATE_APPLICATION]

    def create_guarded(*args: Any, **kwargs: Any) -> Any:
        return guarded(create(*args, **kwargs), settings.edge_allowed_hosts)

    namespace[CREATE_APPLICATION] = create_guarded
    namespace["uvicorn"] = SimpleNamespace(run=partial(uvicorn.run, http=HttpConnection, ws=StreamConnection))
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.edge_trusted_proxies)
    cli.main()  # type: ignore[no-untyped-call]  # Dagster's command has no types


if __name__ == "__main__":
    main()
