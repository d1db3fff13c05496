"""Great Expectations suites over recent rows of the store, with Data Docs.

Import this module only where it runs: loading it takes three times as long as loading Dagster.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from edge_assets.store.analytics import expectation_queries

if TYPE_CHECKING:
    from great_expectations.data_context import AbstractDataContext
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier
    from great_expectations.expectations.expectation import Expectation

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import

import great_expectations as gx
from great_expectations import expectations as gxe

SITE_NAME = "edge"
MAX_PRICE, MIN_PRICE = 1001, 1.001
MAX_SCORE = 400
MAX_BOOK_CLOCK_LEAD_SECONDS = 120
"""Seconds that a book's clock may be ahead of the machine's."""
DAY_SECONDS = 86_400


class Suite(NamedTuple):
    """Expectations on the rows of a query."""

    query: str
    expectations: list[Expectation]


class SuiteResult(NamedTuple):
    """Whether all of a suite's expectations were met, how many were evaluated, the unmet ones, and the Data Docs
    page.
    """

    passed: bool
    evaluated: int
    unmet: list[str]
    page: Path


def build_suites() -> dict[str, Suite]:
    """The suites, by table."""
    return {
        "odds_ticks": Suite(
            expectation_queries.SELECT_RECENT_TICKS,
            [*_expect_not_null("observed_at", "known_event", "known_book"), *_expect_ticks()],
        ),
        "events": Suite(
            expectation_queries.SELECT_RECENT_EVENTS,
            [*_expect_not_null("commence_at", "sport", "first_seen_at"), *_expect_events()],
        ),
        "results": Suite(
            expectation_queries.SELECT_RECENT_RESULTS,
            [*_expect_not_null("event_id", "source", "status"), *_expect_results()],
        ),
    }


def validate(database_url: str, docs: Path) -> dict[str, SuiteResult]:
    """Validate every suite on the database and write the Data Docs into the folder `docs`."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]  # the library's own form
    context.add_data_docs_site(SITE_NAME, _site_config(docs))
    source = context.data_sources.add_postgres(
        "edge", connection_string=_psycopg2_url(database_url), create_temp_table=False
    )
    definitions = []
    for name, suite in build_suites().items():
        batch = source.add_query_asset(name, query=suite.query).add_batch_definition("recent")
        expected = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(suite.expectations)))
        definitions.append(
            context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=expected))
        )
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="recent", validation_definitions=definitions))
    run_results = checkpoint.run(run_id=gx.RunIdentifier(run_name="recent rows")).run_results
    context.build_data_docs(site_names=[SITE_NAME])
    return {
        result.suite_name: _suite_result(result, _page_path(context, identifier))
        for identifier, result in run_results.items()
    }


def _page_path(context: AbstractDataContext, validation: ValidationResultIdentifier) -> Path:
    [site] = context.get_docs_sites_urls(resource_identifier=validation, site_name=SITE_NAME)
    return Path(unquote(urlsplit(site["site_url"] or "").path))


def _suite_result(result: Any, page: Path) -> SuiteResult:
    unmet = [
        f"{r.expectation_config.kwargs.get('column', '')} {r.expectation_config.type}".strip()
        for r in result.results
        if not r.success
    ]
    return SuiteResult(bool(result.success), len(result.results), unmet, page)


def _psycopg2_url(database_url: str) -> str:
    return database_url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _site_config(docs: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _expect_not_null(*columns: str) -> list[Expectation]:
    return [gxe.ExpectColumnValuesToNotBeNull(column=column) for column in columns]


def _expect_ticks() -> list[Expectation]:
    key_columns = ["poll_id", "event_id", "book_id", "market_id", "outcome_id", "point"]
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="known_outcome"),
        gxe.ExpectColumnValuesToBeBetween(column="price", min_value=MIN_PRICE, max_value=MAX_PRICE),
        gxe.ExpectColumnValuesToBeBetween(column="point", min_value=-MAX_SCORE, max_value=MAX_SCORE),
        gxe.ExpectColumnValuesToBeBetween(
            column="book_ahead_seconds", max_value=MAX_BOOK_CLOCK_LEAD_SECONDS, mostly=0.99
        ),
        gxe.ExpectColumnPairValuesToBeEqual(column_A="observed_at", column_B="polled_at"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=key_columns, ignore_row_if="never"),
    ]


def _expect_events() -> list[Expectation]:
    return [
        gxe.ExpectColumnValuesToBeUnique(column="key"),
        gxe.ExpectColumnValuesToNotBeNull(column="home_team", mostly=0.95),
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(
            column_list=["home_team", "away_team"], ignore_row_if="any_value_is_missing"
        ),
        gxe.ExpectColumnValuesToBeBetween(column="names", min_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="starts", min_value=1),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="commence_at", column_B="first_seen_at", or_equal=True, mostly=0.99
        ),
    ]


def _expect_results() -> list[Expectation]:
    key_columns = ["event_id", "source", "period", "status", "home_score", "away_score"]
    return [
        gxe.ExpectColumnValuesToBeInSet(column="period", value_set=["regulation", "full", "unstated"]),
        gxe.ExpectColumnValuesToBeBetween(column="home_score", min_value=0, max_value=MAX_SCORE),
        gxe.ExpectColumnValuesToBeBetween(column="away_score", min_value=0, max_value=MAX_SCORE),
        gxe.ExpectColumnValuesToBeBetween(
            column="known_after_seconds", min_value=0, max_value=30 * DAY_SECONDS, mostly=0.99
        ),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=key_columns, ignore_row_if="never"),
    ]
