"""The metadata of the models' pages matches what was built."""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from dagster import AssetCheckResult, Output
from matplotlib.image import imread

from edge_assets.core.clock import to_micros
from edge_assets.defs.analytics.asset_metadata import with_metadata
from edge_assets.store.postgres.database import connect
from ml.quotes import Market, Outcome, QuoteBatch
from tests.support.poll_factories import NOON, StoreHarness

if TYPE_CHECKING:
    import pytest

    from tests.support.dbt_build import Warehouse

pytestmark = pytest.mark.untraced

LOG = logging.getLogger("pages")
MOVING, STEADY = 1, 0


def poll(harness: StoreHarness, hours: int, moving: float) -> None:
    """Three books that have just confirmed two games, one of which moves to the price `moving`."""
    at = NOON + timedelta(hours=hours)
    prices = {STEADY: 2.0, MOVING: moving}
    quotes = [
        harness.quote(price if outcome == Outcome.HOME else 1.9, event=event, book=book, outcome=outcome)
        for event, price in prices.items()
        for book in range(3)
        for outcome in (Outcome.HOME, Outcome.AWAY)
    ]
    times = [(event, book, int(Market.H2H), to_micros(at)) for event in harness.events for book in harness.books]
    harness.write(at, QuoteBatch.from_rows(quotes), times)


def test_pages_show_counts_and_charts_of_the_build(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    with closing(connect(warehouse.url, "test")) as conn:
        harness = StoreHarness(conn)
        for hours, moving in ((0, 2.0), (1, 1.8), (24, 1.6), (29, 1.5), (31, 1.5)):
            poll(harness, hours, moving)
    warehouse.build("book_quality", "line_moves")
    pages = metadata_of(warehouse, "book_quality", "closing_coverage", "line_moves", "stg_edge__events")
    for model in ("book_quality", "closing_coverage", "line_moves"):
        [counted] = warehouse.rows(f"SELECT count(*) AS n FROM {model}")
        assert pages[model]["dagster/row_count"].value == counted["n"] > 0
    assert "dagster/row_count" not in pages["stg_edge__events"]

    [whole] = warehouse.rows(
        "SELECT count(*) AS expected, count(closing_price_decimal) AS closed, count(DISTINCT book) AS books "
        "FROM closing_lines"
    )
    [record] = [record.data for record in pages["closing_coverage"]["coverage"].records]
    assert (record["expected"], record["books"]) == (whole["expected"], whole["books"])
    assert record["closed %"] == round(100 * whole["closed"] / whole["expected"], 1)
    assert picture(pages["book_quality"]["coverage by book"]).shape[1] == 720

    assert f"`edge lines {harness.events[MOVING]} --market h2h --fair`" in pages["line_moves"]["most moved"].value
    assert picture(pages["line_moves"]["most moved"]).shape == (324, 648, 4)

    with closing(connect(warehouse.url, "test")) as conn:
        conn.execute("ALTER TABLE pricing.book_moves RENAME TO lost")
    assert metadata_of(warehouse, "line_moves") == {"line_moves": {}}
    assert "incomplete metadata for line_moves" in caplog.text


def metadata_of(warehouse: Warehouse, *models: str) -> dict[str, Any]:
    """The metadata of models, from dbt's events among those of tests."""
    events = [Output(None, model, metadata={"unique_id": f"model.edge_finder.{model}"}) for model in models]
    check = AssetCheckResult(passed=True)
    first, *reported = with_metadata([check, *events], warehouse.url, {}, LOG)
    assert first is check
    return {e.output_name: {k: v for k, v in e.metadata.items() if k != "unique_id"} for e in reported}


def picture(markdown: Any) -> Any:
    """The image in a markdown text."""
    [encoded] = re.findall(r"!\[\]\(data:image/png;base64,([^)]*)\)", markdown.value)
    return imread(BytesIO(b64decode(encoded)))
