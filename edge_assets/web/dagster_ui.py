"""`python -m edge_assets.web.dagster_ui`: Dagster's web server behind the guard.

Its GraphQL accepts mutations, including `launchRun` and `shutdownRepositoryLocation`, by GET and by a form's POST from
any page.
"""

from __future__ import annotations

import os
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import uvicorn

from edge_assets.core.settings import Settings
from edge_assets.private_interfaces.dagster_web import run_webserver
from edge_assets.web.connections import LimitedHttpProtocol, LimitedWebSocketProtocol
from edge_assets.web.guard import Guard, RequestRefusal, refuse_non_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Scope

GRAPHQL_PATH = "/graphql"


def refuse_graphql_get(scope: Scope, _: Headers) -> RequestRefusal | None:
    """Refuse a query in the URL; without one the URL serves the page for writing queries."""
    if scope["type"] != "http" or scope["method"] == "POST" or not scope["path"].rstrip("/").endswith(GRAPHQL_PATH):
        return None
    if not parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).keys() & {"query", "variables"}:
        return None
    return RequestRefusal(HTTPStatus.METHOD_NOT_ALLOWED, "send GraphQL as a POST of application/json")


def reject_parent_paths(scope: Scope, _: Headers) -> RequestRefusal | None:
    """Refuse a path with `..`: Dagster does not follow one among its logs, but fails on it."""
    if ".." not in scope["path"].split("/"):
        return None
    return RequestRefusal(HTTPStatus.NOT_FOUND, "there is no such page")


def guard_app(app: ASGIApp, hosts: Collection[str]) -> Guard:
    """Dagster's application behind the guard. No other page may frame it: a click could launch a run."""
    return Guard(
        app,
        hosts,
        (refuse_non_json, refuse_graphql_get, reject_parent_paths),
        own_headers={"referrer-policy": "no-referrer"},
    )


def main() -> None:
    """Serve, with the options of `dagster-webserver`."""
    settings = Settings()
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.edge_trusted_proxies)
    run_webserver(
        partial(guard_app, hosts=settings.edge_allowed_hosts),
        partial(uvicorn.run, http=LimitedHttpProtocol, ws=LimitedWebSocketProtocol),
    )


if __name__ == "__main__":
    main()
