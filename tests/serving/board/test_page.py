"""The board in a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect, sync_playwright

from edge_assets.store.health.problems import ProblemKind, clear_problem, report_problem
from edge_assets.store.postgres.database import ensure_database
from edge_assets.store.postgres.schema import upgrade
from tests.serving.conftest import MarketHarness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.servers.postgres import PostgresServer

CHROMIUM = shutil.which("chromium")
# without these, Chromium contacts Google's hosts at every start
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EXPECTED_ERRORS = ("ERR_CONNECTION_REFUSED", "status of 503")
expect.set_options(timeout=20_000)
"""A page that lost its server waits up to 10 s before it retries."""
DESKTOP, LAPTOP, PHONE = {"width": 1440, "height": 900}, {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium")
        pytest.skip("no chromium in PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page whose console must stay clean, except for a server or database that a test has stopped."""
    with chromium.new_context(viewport=DESKTOP, locale="en-GB") as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(10_000)
        errors: list[str] = []
        page.on("console", lambda m: errors.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert [text for text in errors if not any(expected in text for expected in EXPECTED_ERRORS)] == []


@pytest.fixture
def local(serve: Any, market: Any) -> Iterator[Any]:
    with serve(edge_local=True) as served:
        yield served


def test_alert_is_shown_updated_and_removed(local: Any, market: Any, page: Page) -> None:
    page.goto(local.url)
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator("#banner")).to_contain_text("SIMULATED")
    expect(page.locator("#value-empty")).to_be_visible()
    opened = market.value()
    market.publish(opened, market.arbitrage())
    row = page.locator(f'[data-alert="{opened.alert_id}"]')
    expect(row).to_contain_text("Seattle Seahawks")
    expect(row).to_contain_text("FanDuel")
    expect(row.locator(".good")).to_have_text("+6.0%")
    expect(row).to_contain_text("40.00")
    expect(row).to_contain_text("9.0 to 15.0%")
    expect(page.locator("#arbitrages .return")).to_have_text("+4.7%")
    expect(page.locator("#arbitrages .rules")).to_have_text("rules: unknown")
    page.locator("#rules-filter").select_option("same")
    expect(page.locator("#arbitrages .rules")).to_have_count(0)
    page.locator("#rules-filter").select_option("")
    updated = market.make_update(opened)
    market.publish(updated)
    expect(row.locator(".good")).to_have_text("+7.0%")
    market.publish(market.make_closing(updated))
    expect(row).to_contain_text("closed: price moved")
    expect(row).to_have_count(0, timeout=10_000)
    expect(page.locator("#count-arbitrage")).to_have_text("1")


def test_likely_errors_have_their_own_panel(local: Any, market: Any, page: Page) -> None:
    page.goto(local.url)
    expect(page.locator("#errors-panel")).to_be_hidden()
    error = market.error()
    market.publish(error)
    expect(page.locator("#errors-panel")).to_contain_text("may be voided")
    expect(page.locator(f'#errors [data-alert="{error.alert_id}"]')).to_contain_text("FanDuel")
    expect(page.locator("#value-empty")).to_be_visible()


def test_external_text_is_never_markup(local: Any, market: Any, page: Page) -> None:
    market.publish(market.arbitrage())
    page.goto(local.url)
    expect(page.locator("#arbitrages")).to_contain_text("<b>Rams</b>")
    assert page.locator("#arbitrages b").count() == 0


def test_late_alert_is_marked(local: Any, market: Any, page: Page) -> None:
    page.goto(local.url)
    expect(page.locator("#connection")).to_have_text("live")
    market.conn.execute("UPDATE polls SET received_at = received_at - interval '2 minutes'")
    market.now -= timedelta(minutes=2)  # the time of scoring: an alert that time alone opened is not late
    market.publish(market.value(), market.arbitrage(), market.error())
    for panel in ("#value-bets", "#arbitrages", "#errors"):
        expect(page.locator(f"{panel} [data-alert]").first).to_be_visible()
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp()")
    for panel in ("#value-bets", "#arbitrages", "#errors"):
        expect(page.locator(panel)).to_contain_text("published 2 min late: check the price first")


def test_stakes_follow_the_bankroll_and_filters_apply(local: Any, market: Any, page: Page) -> None:
    market.publish(market.value(0.05), market.value(0.08, book=2))
    page.goto(local.url)
    rows = page.locator("#value-bets tbody tr")
    expect(rows).to_have_count(2)
    page.fill("#bankroll", "5000")
    expect(rows.first).to_contain_text("200.00")
    page.fill("#edge-filter", "6")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("DraftKings")
    page.reload()
    expect(page.locator("#bankroll")).to_have_value("5000")


def test_price_table_marks_best_and_stale_prices(local: Any, market: Any, page: Page) -> None:
    page.goto(local.url)
    table = page.locator("#prices")
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(table.locator("tr.fair")).to_contain_text("Fair (not scored yet)")
    market.score()
    expect(table.locator("tr.fair")).to_contain_text("Fair (4 books)")
    expect(table.locator("tr.stale")).to_contain_text("Bovada")
    expect(table.locator("tr:not(.stale) .best")).to_have_count(8)


def test_health_is_shown_and_unconfirmed_bets_are_marked(local: Any, market: Any, page: Page, tmp_path: Path) -> None:
    market.publish(market.value(), market.arbitrage(), market.error())
    page.goto(local.url)
    expect(page.locator("#health-problems")).to_be_empty()
    expect(page.locator("#health-title")).to_contain_text("Everything works: prices as of")
    row = page.locator("#value-bets tbody tr")
    expect(row).not_to_have_class(re.compile("unconfirmed"))
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() - interval '20 minutes'")
    report_problem(market.conn, ProblemKind.FEED_UNREACHABLE, "", "<b>refused</b>")
    expect(page.locator("#health-title")).to_have_text("Alerts are missing or late")
    expect(page.locator("#health-line")).to_contain_text("the feed does not answer: prices go stale (<b>refused</b>)")
    page.locator("#health-details summary").click()
    expect(page.locator("#health-problems .todo").first).to_contain_text("check the internet connection")
    for unconfirmed in ("#value-bets .unconfirmed", "#arbitrages .unconfirmed", "#errors .unconfirmed"):
        expect(page.locator(unconfirmed)).to_contain_text("not confirmed for 20 min: may be gone")
    page.screenshot(path=tmp_path / "unconfirmed.png", full_page=True)
    clear_problem(market.conn, ProblemKind.FEED_UNREACHABLE, "")
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() + interval '1 hour'")
    expect(page.locator("#arbitrages .unconfirmed")).to_contain_text("not confirmed since the clock was set back")
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp()")
    expect(page.locator("#health-title")).to_contain_text("Everything works")
    expect(page.locator(".unconfirmed")).to_have_count(0)


def test_bets_become_unconfirmed_while_the_database_is_down(
    serve: Any, own_postgres: PostgresServer, redis_url: str, page: Page
) -> None:
    url = ensure_database(own_postgres.url, "board")
    upgrade(url)
    market = MarketHarness(url, redis_url)
    market.publish(market.value())
    market.conn.execute("UPDATE polls SET received_at = clock_timestamp() - interval '75 seconds'")
    market.conn.close()
    with serve(edge_local=True, database_url=url) as served:
        page.goto(served.url)
        expect(page.locator("#value-bets tbody tr")).to_have_count(1)
        with own_postgres.process.suspend_during():
            # on a busy machine the server takes longer to give up on the database, and the page on the server
            expect(page.locator("#health-line")).to_contain_text("the database does not answer", timeout=60_000)
            expect(page.locator("#value-bets .unconfirmed")).to_contain_text("not confirmed for")


def test_page_reconnects_automatically(serve: Any, market: Any, page: Page) -> None:
    with serve(edge_local=True) as served:
        page.goto(served.url)
        expect(page.locator("#connection")).to_have_text("live")
        page.evaluate("() => { window.wasKept = true }")
        port = served.port
    expect(page.locator("#connection")).to_contain_text("reconnecting")
    expect(page.locator("#health-line")).to_contain_text("server not responding")
    opened = market.value()
    market.publish(opened)
    with serve(edge_local=True, port=port):
        expect(page.locator(f'[data-alert="{opened.alert_id}"]')).to_be_visible()
        expect(page.locator("#connection")).to_have_text("live")
        assert page.evaluate("window.wasKept")


def test_remote_board_asks_for_a_token(site: Any, page: Page) -> None:
    page.goto(site.url)
    field = page.get_by_label("Access token")
    expect(field).to_be_visible()
    field.fill("nonsense")
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#token-problem")).to_contain_text("not valid")
    field.fill(site.token())
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#connection")).to_have_text("live")
    expect(field).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, LAPTOP, PHONE], ids=["desktop", "laptop", "phone"])
def test_page_fits_screen(local: Any, market: Any, chromium: Browser, size: Any, scheme: Any, tmp_path: Path) -> None:
    market.publish(market.value(), market.value(0.08, book=2), market.arbitrage(), market.error())
    with chromium.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(local.url)
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.locator("#prices tr.fair")).to_be_visible()
        page.screenshot(path=tmp_path / "board.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        bets = page.locator(".scroll:has(.bets)")
        assert bets.evaluate("box => box.scrollWidth") <= bets.evaluate("box => box.clientWidth")
