"""Great Expectations as checks of their tables, with Data Docs."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetSelection,
    DefaultScheduleStatus,
    MetadataValue,
    ResourceParam,
    ScheduleDefinition,
    define_asset_job,
    in_process_executor,
    multi_asset_check,
)

from edge_assets.core.settings import Settings
from edge_assets.defs.lineage import table_key

CHECK_NAME = "expectations"
CHECKED_TABLES = ("odds_ticks", "events", "results")


@multi_asset_check(
    name="expectations_step",
    specs=[
        AssetCheckSpec(CHECK_NAME, asset=table_key(table), description=f"Expectations on recent rows of `{table}`.")
        for table in CHECKED_TABLES
    ],
)
def expectations(settings: ResourceParam[Settings]) -> Iterator[AssetCheckResult]:
    """Validate recent rows and write the Data Docs."""
    from edge_assets.quality.expectations import validate  # noqa: PLC0415 - slow to import, and only this step needs it

    for table, result in validate(settings.require_database_url(), settings.data_docs_dir).items():
        yield AssetCheckResult(
            asset_key=table_key(table),
            check_name=CHECK_NAME,
            passed=result.passed,
            severity=AssetCheckSeverity.WARN,
            metadata={
                "data_docs": MetadataValue.url(_page_url(settings, result.page)),
                "path": MetadataValue.path(result.page),
                "expectations": result.evaluated,
                "unmet": MetadataValue.json(result.unmet),
            },
        )


def _page_url(settings: Settings, page: Path) -> str:
    """The page's URL for a browser, which does not follow links from a server's page to a local file."""
    if not settings.edge_local:
        return page.as_uri()
    return f"{settings.edge_board_url}/data-docs/{quote(page.relative_to(settings.data_docs_dir).as_posix())}"


expectations_job = define_asset_job(
    "expectations",
    AssetSelection.checks(*(AssetCheckKey(table_key(table), CHECK_NAME) for table in CHECKED_TABLES)),
    executor_def=in_process_executor,
    description="Great Expectations over recent rows, with Data Docs below EDGE_HOME.",
)
expectations_schedule = ScheduleDefinition(
    name="expectations_six_hourly",
    job=expectations_job,
    cron_schedule="37 */6 * * *",
    default_status=DefaultScheduleStatus.RUNNING,
)
