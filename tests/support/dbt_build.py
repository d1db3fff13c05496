"""The warehouse built in this process: what the Dagster job does, without three processes' imports."""

from __future__ import annotations

import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.dbt_runner import DbtRunner
from edge_assets.warehouse.pricing_job import price_pending

if TYPE_CHECKING:
    from pathlib import Path

INTERMEDIATE = ("+int_quotes_as_of", "+int_selections_offered", "+int_events_with_status")


class Warehouse:
    """The warehouse of one database; `scratch` is dbt's folder, shared so that dbt parses what has changed only."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.url = url
        self._project = DbtRunner(url, scratch)

    def build(self, *marts: str, full_refresh: bool = False) -> None:
        """Intermediate models, prices, and `marts` (default: all) with what they are made of."""
        words = ["--full-refresh"] if full_refresh else []
        self._dbt("run", "--select", *INTERMEDIATE, *words)
        with closing(connect(self.url, "test")) as conn, closing(connect(self.url, "test reads")) as reader:
            price_pending(conn, reader, {})
        chosen = [f"+{mart}" for mart in marts] or ["fqn:*"]
        self._dbt("run", "--select", *chosen, "--exclude", *INTERMEDIATE, *words)

    def run(self, *models: str) -> None:
        """Single models with what they are made of, and nothing priced."""
        self._dbt("run", "--select", *(f"+{model}" for model in models))

    def test(self) -> None:
        """Every data test and unit test."""
        self._dbt("test")

    def document(self) -> None:
        """dbt's documentation, in its scratch folder."""
        self._dbt("docs", "generate")

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of the marts by column name."""
        options = "-c timezone=UTC -c search_path=analytics,public"
        with psycopg.connect(self.url, options=options, row_factory=dict_row) as conn:
            return conn.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """What somebody else does to the database."""
        with psycopg.connect(self.url) as conn:
            conn.execute(statement.encode())

    def _dbt(self, *words: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._project.run(*words, "--quiet")
