"""The dbt models as assets and their data tests as checks."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    ConfigurableResource,
    InitResourceContext,
    ResourceParam,
)
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from psycopg.conninfo import conninfo_to_dict

from edge_assets.defs.analytics.pages import illustrated
from edge_assets.defs.analytics.project import DBT, PROJECT_DIR
from edge_assets.defs.lineage import ALERTS, OWNERS, table_key
from edge_assets.settings import Settings


class DbtResource(ConfigurableResource[DbtCliResource]):
    """The dbt command, connected to DATABASE_URL when something runs."""

    def create_resource(self, context: InitResourceContext) -> DbtCliResource:  # noqa: ARG002 - Dagster's signature
        """Hand the parts of DATABASE_URL to dbt; its profile can read nothing but the environment."""
        os.environ.update(connection_variables(Settings().require_database()))
        return DbtCliResource(project_dir=str(PROJECT_DIR), profiles_dir=str(PROJECT_DIR), dbt_executable=str(DBT))


def connection_variables(database_url: str) -> dict[str, str]:
    """What `profiles.yml` asks for; dbt scrubs the one with SECRET in its name from its logs."""
    parts = conninfo_to_dict(database_url)
    names = {
        "host": "DBT_HOST",
        "port": "DBT_PORT",
        "user": "DBT_USER",
        "password": "DBT_ENV_SECRET_PASSWORD",
        "dbname": "DBT_DBNAME",
    }
    return {variable: str(parts[part]) for part, variable in names.items() if parts.get(part)}


BOOKMARK = AssetKey(["pricing", "priced_polls"])
"""Which polls have been priced: written behind what reads it, so no part of the lineage."""


class WarehouseTranslator(DagsterDbtTranslator):
    """Places the models in the graph of both locations: their sources are what ingestion writes."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> AssetSpec:
        """dbt's description and dependencies, our owner, group and source keys."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(
            deps=[dep._replace(asset_key=_placed(dep.asset_key)) for dep in spec.deps if dep.asset_key != BOOKMARK],
            group_name="warehouse",
            owners=OWNERS,
        )


def _placed(key: AssetKey) -> AssetKey:
    if key.path[0] != "edge":
        return key
    return ALERTS if key.path[-1] == "alerts" else table_key(key.path[-1])


def build_warehouse(project: DbtProject) -> AssetsDefinition:
    """One asset a model; `dbt build` runs models and tests in order."""

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        dagster_dbt_translator=WarehouseTranslator(),
        name="warehouse_step",
    )
    def warehouse(
        context: AssetExecutionContext, dbt: ResourceParam[DbtCliResource], settings: ResourceParam[Settings]
    ) -> Iterator[Any]:
        """Build the selected models, test the data, and tell on their pages what came of it.

        Unit tests need no data and run in the test suite.
        """
        build = dbt.cli(["build", "--exclude-resource-type", "unit_test"], context=context)
        yield from illustrated(build.stream(), settings.require_database(), settings.edge_book_weights, context.log)

    return warehouse
