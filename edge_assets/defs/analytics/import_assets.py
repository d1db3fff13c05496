"""Recorded odds and results as assets, one per format: imported from the paths in the run's config."""

from pathlib import Path

from dagster import AssetExecutionContext, AssetsDefinition, Config, Failure, MaterializeResult, asset
from pydantic import Field

from edge_assets.core.settings import Settings
from edge_assets.defs.lineage import IMPORT_ASSETS, OWNERS
from edge_assets.reference.sources import Source


class ImportConfig(Config):
    """What to import."""

    paths: list[str] = Field(min_length=1, description="Files, folders or tars on the machine of the code server.")


def build_import_assets() -> list[AssetsDefinition]:
    """One asset per format."""
    return [_build_import_asset(name) for name in IMPORT_ASSETS]


def _build_import_asset(name: str) -> AssetsDefinition:
    @asset(
        key=IMPORT_ASSETS[name],
        group_name="history",
        description=f"Odds and results imported from `{name}`; rows that are already stored are skipped.",
        owners=OWNERS,
        kinds={"postgres", "python"},
    )
    def import_format(context: AssetExecutionContext, config: ImportConfig) -> MaterializeResult[None]:
        """Import and report; a refused file fails the run after the others have been stored."""
        from edge_assets.importers.formats.batch import RejectedFileError  # noqa: PLC0415 - as below
        from edge_assets.importers.importer import Importer  # noqa: PLC0415 - pandas is needed by runs, not for loading

        try:
            with Importer(Settings().require_database_url(), context.run.run_id) as importer:
                report = importer.run(Source(name), [Path(path) for path in config.paths])
        except RejectedFileError as error:
            raise Failure(str(error)) from error
        for refusal in report.rejected.examples:
            context.log.warning(str(refusal))
        if report.rejected_files:
            raise Failure(f"{len(report.rejected_files)} files were refused", metadata=report.as_json())
        return MaterializeResult(metadata=report.as_json())

    return import_format
