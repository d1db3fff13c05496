"""Private interfaces of dagster-dbt: from dbt's events to Dagster's, and from Dagster's selection to dbt's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dbt_manifest import validate_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagster import AssetExecutionContext
    from dagster_dbt import DagsterDbtTranslator, DbtProject


def load_manifest(project: DbtProject) -> Mapping[str, Any]:
    """The project's manifest, read once in a process."""
    return validate_manifest(project.manifest_path)


def to_asset_events(
    result: Mapping[str, Any],
    manifest: Mapping[str, Any],
    translator: DagsterDbtTranslator,
    context: AssetExecutionContext,
    project: DbtProject,
) -> Iterator[Any]:
    """The events that Dagster records for a model or test, from dbt's structured event."""
    message = DbtCoreCliEventMessage(dict(result), {})
    return message.to_default_asset_events(manifest, translator, context, project=project)


def to_dbt_selection(
    context: AssetExecutionContext, manifest: Mapping[str, Any], translator: DagsterDbtTranslator
) -> list[str]:
    """What Dagster has selected, as dbt's arguments."""
    chosen, indirect = get_subset_selection_for_context(
        context,
        manifest,
        select="fqn:*",
        exclude=None,
        selector=None,
        dagster_dbt_translator=translator,
        current_dbt_indirect_selection_env=None,
    )
    return [*chosen, "--indirect-selection", indirect] if indirect else chosen
