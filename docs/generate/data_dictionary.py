"""The tables of a database as the migrations leave it, and the warehouse's marts as dbt documents them."""

from __future__ import annotations

import logging
import tempfile
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import yaml
from psycopg.rows import class_row

from docs.generate.markdown import code, table
from edge_assets.store.postgres.schema import upgrade
from tests.support.servers import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
INTRODUCTION = """
# Data dictionary

What is in the database of a feed. The migrations in `edge_assets/store/migrations` make the tables and views of the
store; dbt makes the marts, in the schema `analytics`. Partitions and hypertables are listed as one table. Times are
timestamptz. Columns that may be NULL are marked.

"""
SELECT_COLUMNS = """
SELECT
    n.nspname AS schema, c.relname AS relation, c.relkind IN ('v', 'm') AS is_view,
    coalesce(obj_description(c.oid, 'pg_class'), '') AS about_relation, a.attname AS column,
    replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz') AS type,
    NOT a.attnotnull AS is_nullable,
    coalesce(col_description(c.oid, a.attnum), '') AS about_column
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON c.relnamespace = n.oid
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
WHERE
    n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT c.relispartition AND c.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY n.nspname <> 'public', n.nspname, c.relname, a.attnum
"""


class StoreColumn(NamedTuple):
    """A column of a table or view, with the comments that the migrations give both."""

    schema: str
    relation: str
    is_view: bool
    about_relation: str
    column: str
    type: str
    is_nullable: bool
    about_column: str


def page() -> str:
    """The page of the data dictionary; it starts a PostgreSQL for the time it takes."""
    with _migrated_database() as url, psycopg.connect(url) as conn:
        store = "".join(relations(conn))
    return INTRODUCTION.lstrip() + "## Store\n\n" + store + "## Marts\n\n" + "".join(marts(MARTS))


@contextmanager
def _migrated_database() -> Iterator[str]:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as logs, contextmanager(postgres.running)(Path(logs)) as server:
        upgrade(server.url)
        yield server.url


def relations(conn: psycopg.Connection) -> Iterator[str]:
    """A section for each table and view of a database."""
    columns = conn.cursor(row_factory=class_row(StoreColumn)).execute(SELECT_COLUMNS).fetchall()
    for (schema, name, is_view, about), rows in groupby(columns, key=itemgetter(0, 1, 2, 3)):
        title = name if schema == "public" else f"{schema}.{name}"
        kind = "View. " if is_view else ""
        listed = [
            (code(row.column), row.type + (" or NULL" if row.is_nullable and not is_view else ""), row.about_column)
            for row in rows
        ]
        yield _section(title, kind + _sentence(about), listed)


def marts(folder: Path) -> Iterator[str]:
    """A section for each mart that a YAML file in a folder of `folder` documents."""
    for path in sorted(folder.glob("*/*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            listed = [
                (code(column["name"]), column.get("data_type", ""), column.get("description", ""))
                for column in model["columns"]
            ]
            yield _section(model["name"], model["description"], listed)


def _section(title: str, about: str, rows: list[tuple[str, Any, Any]]) -> str:
    text = f"{about.strip()}\n\n" if about.strip() else ""
    return f"### {title}\n\n{text}{table(('column', 'type', 'meaning'), rows)}\n"


def _sentence(comment: str) -> str:
    return comment and f"{comment[0].upper()}{comment[1:]}."
