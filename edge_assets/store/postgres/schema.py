"""A database's schema revision and its migration. Only migrating processes import this, because of Alembic."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS_DIR = Path(__file__).parents[1] / "migrations"
MIGRATION_LOCK_KEY = 0x0ED6E
"""Advisory lock under which one process at a time migrates."""


class NewerSchemaError(RuntimeError):
    """The database was migrated by a version of this program that is newer than this one."""

    def __init__(self, database: str, revision: str) -> None:
        super().__init__(
            f"database {database} was migrated by a newer version: schema {revision} is unknown to this one"
        )


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url` to a revision; concurrent calls are serialised.

    Raises `NewerSchemaError` where it is ahead of what this version knows.
    """
    with _migration_config(url) as config:
        _schema_revision(config, url)
        command.upgrade(config, revision)


def find_outdated_revision(url: str) -> str | None:
    """The schema's revision if `upgrade` would change it; None if it would not, or if there is no schema yet.

    Raises `NewerSchemaError` where it is ahead of what this version knows.
    """
    with _migration_config(url) as config:
        revision = _schema_revision(config, url)
        return None if revision == ScriptDirectory.from_config(config).get_current_head() else revision


@contextmanager
def _migration_config(url: str) -> Iterator[Config]:
    """Alembic's configuration, with a connection that holds the migration lock."""
    engine = sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=sqlalchemy.NullPool
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK_KEY})")
        config.attributes["connection"] = connection
        yield config


def _schema_revision(config: Config, url: str) -> str | None:
    revision = MigrationContext.configure(config.attributes["connection"]).get_current_revision()
    if revision is None:
        return None
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError:
        raise NewerSchemaError(urlsplit(url).path.removeprefix("/"), revision) from None
    return revision
