"""FastAPI dependencies: the application's resources, and a database connection per request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from psycopg import Connection
from starlette.requests import HTTPConnection

from serving.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterator


def get_resources(request: HTTPConnection) -> Resources:
    """The application's resources."""
    resources: Resources = request.app.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(get_resources)]


def get_connection(resources: ResourcesDep) -> Iterator[Connection]:
    """A pooled connection for one request."""
    with resources.pool.connection() as conn:
        yield conn


ConnectionDep = Annotated[Connection, Depends(get_connection)]
