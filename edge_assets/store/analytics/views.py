"""The warehouse's views, by the version of the dbt project that created them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

SELECT_VIEWS_OF_VERSION = """
SELECT c.relname
FROM pg_class AS c INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
WHERE n.nspname = 'analytics' AND c.relkind = 'v' AND obj_description(c.oid, 'pg_class') = %s
"""


def load_views_of_version(conn: Connection, version: str) -> set[str]:
    """The names of the views that this version created."""
    return {name for (name,) in conn.execute(SELECT_VIEWS_OF_VERSION, [version])}
