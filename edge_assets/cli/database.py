"""The database that a command uses."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from edge_assets.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection


def find_database_url() -> str:
    """DATABASE_URL, or the database of the stack running in this home.

    Raises `LocalError` if there is none or it does not answer.
    """
    from edge_assets.local.errors import LocalError
    from edge_assets.local.external_servers import check_database
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan

    settings = Settings()
    plan = None if settings.database_url else Plan.load(Home.open(settings.edge_home))
    url = settings.database_url or (plan.database_url if plan else None)
    if url is None:
        msg = "no database is running or configured"
        raise LocalError(msg, "set DATABASE_URL, or start one with `edge up`")
    check_database(url)
    return url


@contextmanager
def connect_warehouse(model: str) -> Iterator[Connection]:
    """A connection to a database whose warehouse contains `model`; `LocalError` if it does not."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.analytics.closing_coverage import is_built
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge warehouse")) as conn:
        if not is_built(conn, model):
            msg = "the warehouse has not been built"
            raise LocalError(msg, "run `edge warehouse build`, or wait: Dagster builds it every hour")
        yield conn
