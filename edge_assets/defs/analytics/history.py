"""Recorded odds and results as assets, a format each: imported from the paths that a run names."""

from pathlib import Path

from dagster import AssetExecutionContext, AssetsDefinition, Config, Failure, MaterializeResult, asset
from pydantic import Field

from edge_assets.defs.lineage import HISTORY, OWNERS
from edge_assets.settings import Settings


class ImportConfig(Config):
    """What to import."""

    paths: list[str] = Field(min_length=1, description="Files, folders or tars on the machine of the code server.")


def build_imports() -> list[AssetsDefinition]:
    """One asset a format."""
    return [_build(name) for name in HISTORY]


def _build(name: str) -> AssetsDefinition:
    @asset(
        key=HISTORY[name],
        group_name="history",
        description=f"Odds and results imported from `{name}`; what is stored already is not stored again.",
        owners=OWNERS,
        kinds={"postgres", "python"},
    )
    def history(context: AssetExecutionContext, config: ImportConfig) -> MaterializeResult[None]:
        """Import, and tell what came of it; a refused file fails the run when the others are stored."""
        from edge_assets.feeds.history.batch import RefusedFileError  # noqa: PLC0415 - as below
        from edge_assets.importing.formats import FormatName  # noqa: PLC0415 - pandas is for runs, not for loading
        from edge_assets.importing.importer import Importer  # noqa: PLC0415 - as above

        try:
            with Importer(Settings().require_database(), context.run.run_id) as importer:
                report = importer.run(FormatName(name), [Path(path) for path in config.paths])
        except RefusedFileError as error:
            raise Failure(str(error)) from error
        for refusal in report.refused.shown:
            context.log.warning(str(refusal))
        if report.refused_files:
            raise Failure(f"{len(report.refused_files)} files were refused", metadata=report.as_json())
        return MaterializeResult(metadata=report.as_json())

    return history
