"""`make screenshots`: pictures of the board of a running simulation, for the README and the documents."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import Error, expect, sync_playwright

from edge_assets.core.settings import Feed, HomeSettings
from edge_assets.local.home import Home
from edge_assets.local.status import load_status

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parent / "images"
# without these Chromium tries to reach its maker's hosts at every start
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WIDTH = 1440
HEIGHT = 900
PATIENCE_MS = 300_000
"""A simulation that has just been started has its first alerts after a minute or two."""
ROWS = {"#value-bets tbody tr": 4, "#arbitrages [data-alert]": 3, "#prices tbody tr": 8}
"""Rows that the board needs before the picture is taken."""
SHORTER = """
#value-bets tbody tr:nth-child(n + 7), #arbitrages > :nth-child(n + 4), #errors > :nth-child(n + 4) { display: none }
"""
"""The lists of the board scroll; in a picture they would end in the middle of a row."""


def main() -> None:
    """Take the pictures; exits with a remedy if no simulation is running."""
    IMAGES.mkdir(exist_ok=True)
    url = _board()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not on the PATH; on Debian or Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", color_scheme="light", bypass_csp=True
        )
        _take(context.new_page(), url, IMAGES / "board.png")
        browser.close()


def _board() -> str:
    """Where the board of this home's simulation is."""
    state = load_status(Home.open(HomeSettings().edge_home))
    if not state["running"] or state.get("feed") != Feed.SIMULATE:
        sys.exit("no simulation is running; start one with: make up ARGS='--feed simulate --detach'")
    return str(state["urls"]["board"])


def _take(page: Page, url: str, path: Path) -> None:
    """Wait until the board is filled, and save its picture with a palette: a third of the bytes."""
    page.goto(url)
    for rows, least in ROWS.items():
        expect(page.locator(rows).nth(least - 1)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#health")).to_have_attribute("data-status", "ok", timeout=PATIENCE_MS)
    page.add_style_tag(content=SHORTER)
    page.screenshot(path=path, full_page=True)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, Error) as error:
        sys.exit(f"the board has too little to show yet; `edge status` reports why ({error})")
