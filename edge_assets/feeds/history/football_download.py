"""Fetches match files of football-data.co.uk by league and season."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import stamina

from edge_assets.feeds.history.batch import Refusal, RefusedFileError
from edge_assets.feeds.history.football_data import SPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEASON = re.compile(r"(\d\d)(\d\d)")
ATTEMPTS = 3
TIMEOUT_SECONDS = 30.0
HEADER = ("Div,", "\ufeffDiv,", "\u00ef\u00bb\u00bfDiv,")
"""How a match file begins; a page that says that there is none begins otherwise."""


def download(leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str) -> Iterator[Path]:
    """Fetch `{season}/{league}.csv` into `folder`, one after the other; each file appears whole or not at all.

    Seasons are written as the site does: `2324` for 2023/24.

    Raises:
        RefusedFileError: a league or season is none, or the site does not have it, or does not answer.
    """
    for league in leagues:
        if league not in SPORTS:
            raise RefusedFileError(Refusal(league, "league_unknown", repr(league), f"one of {', '.join(SPORTS)}"))
    for season in seasons:
        found = SEASON.fullmatch(season)
        if not found or (int(found[1]) + 1) % 100 != int(found[2]):
            raise RefusedFileError(Refusal(season, "season_unknown", repr(season), "write 2023/24 as 2324"))
    with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
        for season in seasons:
            for league in leagues:
                yield _fetch(client, f"{base_url}/{season}/{league}.csv", folder / season / f"{league}.csv")


def _fetch(client: httpx.Client, url: str, target: Path) -> Path:
    try:
        answer = _get(client, url)
    except httpx.HTTPStatusError as error:
        remedy = "check league and season"
        raise RefusedFileError(Refusal(url, "not_published", f"HTTP {error.response.status_code}", remedy)) from error
    except httpx.HTTPError as error:
        remedy = "try again later"
        raise RefusedFileError(Refusal(url, "no_answer", str(error) or type(error).__name__, remedy)) from error
    if not answer.content.decode("latin-1").startswith(HEADER):
        raise RefusedFileError(Refusal(url, "not_published", "the answer is no match file", "check league and season"))
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(".part")
    scratch.write_bytes(answer.content)
    return scratch.replace(target)


def _get(client: httpx.Client, url: str) -> httpx.Response:
    for attempt in stamina.retry_context(on=_is_passing, attempts=ATTEMPTS, wait_initial=0.2):
        with attempt:
            return client.get(url).raise_for_status()
    raise AssertionError  # the last attempt returns or raises


def _is_passing(error: Exception) -> bool:
    """Whether another attempt may help."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)
