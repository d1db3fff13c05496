"""The dbt models as assets and their data tests as checks."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from dagster import (
    AssetCheckSpec,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    ConfigurableResource,
    InitResourceContext,
    ResourceParam,
)
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from edge_assets.core.settings import Settings
from edge_assets.defs.analytics.asset_metadata import with_metadata
from edge_assets.defs.analytics.build_lock import BuildLock
from edge_assets.defs.analytics.schedules import HOURLY_FRESHNESS, NIGHTLY_FRESHNESS, VIEW_KIND
from edge_assets.defs.lineage import ALERTS, OWNERS, QUARANTINE, table_key
from edge_assets.private_interfaces.dagster_dbt_core import load_manifest, to_asset_events, to_dbt_selection
from edge_assets.warehouse.dbt_runner import DbtRunner


class DbtResource(ConfigurableResource[DbtRunner]):
    """dbt on DATABASE_URL at run time; shared by all steps of a run, so that the project is parsed once."""

    def create_resource(self, context: InitResourceContext) -> DbtRunner:  # noqa: ARG002 - Dagster's signature
        """Read the environment."""
        settings = Settings()
        return DbtRunner(settings.require_database_url(), settings.dbt_target_dir)


PRICED_POLLS = AssetKey(["pricing", "priced_polls"])
"""The polls that have been priced: written after its readers run, and so not part of the lineage."""


ASSET_BY_SOURCE = {
    "alerts": ALERTS,
    "alert_publications": ALERTS,
    "admitted_polls": table_key("polls"),
    "held_out_events": QUARANTINE,
    "blocked_feeds": QUARANTINE,
}
"""Sources that are part of another asset."""


class WarehouseTranslator(DagsterDbtTranslator):
    """Connects the models to the assets of both locations: their sources are what ingestion writes."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> AssetSpec:
        """dbt's description with our dependencies, owner, group and freshness policy."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id in manifest["sources"]:
            return spec
        model = manifest["nodes"][unique_id]
        found = _find_sources(manifest, unique_id, through_views=not _is_view(model))
        return spec.replace_attributes(
            deps=_upstream_deps(spec.deps, [self.get_asset_key(manifest["sources"][source]) for source in found]),
            group_name="warehouse",
            owners=OWNERS,
            freshness_policy=NIGHTLY_FRESHNESS if _is_view(model) or "nightly" in model["tags"] else HOURLY_FRESHNESS,
            kinds={*spec.kinds, VIEW_KIND} if _is_view(model) else spec.kinds,
        )

    def get_asset_check_spec(
        self, asset_spec: AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> AssetCheckSpec | None:
        """A data test as a check of its asset alone.

        dbt runs a test after every model that it reads. As dependencies of the check those that an hourly build leaves
        out would split the build: dbt would run a third time.
        """
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and AssetCheckSpec(
            spec.name,
            asset=spec.asset_key,
            description=spec.description,
            metadata=spec.metadata,
            blocking=spec.blocking,
        )


def _upstream_deps(direct: Iterable[AssetDep], sources: Iterable[AssetKey]) -> list[AssetDep]:
    """The direct dependencies of a model, and the assets that write its `sources`.

    A table also depends on what it reads through views, which are not always built with it. Everything that ingestion
    writes is waited for at the gate, even tables that the gate does not check: otherwise dbt would run a third time,
    before the gate.
    """
    writers = {QUARANTINE if key.path[0] == "edge" else key for key in sources}
    keys = dict.fromkeys([*sorted(writers), *(_asset_key(dep.asset_key) for dep in direct)])
    # without metadata: a table and its admitted rows are one asset with different names in the database
    return [AssetDep(key) for key in keys if key != PRICED_POLLS]


def _find_sources(manifest: Mapping[str, Any], unique_id: str, *, through_views: bool) -> set[str]:
    """The sources that a model reads directly or, with `through_views`, through views."""
    found: set[str] = set()
    for parent in manifest["parent_map"][unique_id]:
        if parent in manifest["sources"]:
            found.add(parent)
        elif through_views and _is_view(manifest["nodes"][parent]):
            found |= _find_sources(manifest, parent, through_views=True)
    return found


def _is_view(model: Mapping[str, Any]) -> bool:
    return model["config"]["materialized"] in {"view", "ephemeral"}


def _asset_key(key: AssetKey) -> AssetKey:
    if key.path[0] != "edge":
        return key
    return ASSET_BY_SOURCE.get(key.path[-1], table_key(key.path[-1]))


def build_warehouse_assets(project: DbtProject) -> AssetsDefinition:
    """One asset per model; `dbt build` runs models and tests in order."""
    translator = WarehouseTranslator()

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        dagster_dbt_translator=translator,
        name="warehouse_step",
    )
    def warehouse(
        context: AssetExecutionContext,
        dbt: ResourceParam[DbtRunner],
        settings: ResourceParam[Settings],
        build_lock: ResourceParam[BuildLock],
    ) -> Iterator[Any]:
        """Build the selected models, test the data, and add metadata to the asset pages.

        Unit tests need no data and run in the test suite.
        """
        manifest = load_manifest(project)
        results = dbt.stream_results(
            "build", "--exclude-resource-type", "unit_test", *to_dbt_selection(context, manifest, translator)
        )
        events = chain.from_iterable(
            to_asset_events(result, manifest, translator, context, project) for result in results
        )
        yield from with_metadata(events, build_lock.database_url, settings.edge_book_weights, context.log)

    return warehouse
