"""Fetches match files of football-data.co.uk: by league and season, of extra leagues, and of matches to come."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import stamina

from edge_assets.feeds.certificates import create_ssl_context
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES, BodyError, read_body_until
from edge_assets.importers.formats.batch import RejectedFileError, Rejection
from edge_assets.importers.formats.delimited import strip_byte_order_marks
from edge_assets.importers.formats.football_layouts import EXTRA_LEAGUES, SPORTS_BY_DIVISION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEASON_PATTERN = re.compile(r"(\d\d)(\d\d)")
SEASONS_PATH = "/mmz4281"
"""Where the site has the files of a season; those of extra leagues and of matches to come are above."""
FIXTURE_FILES = ("fixtures.csv", "new_league_fixtures.csv")
MAX_ATTEMPTS = 3
TIMEOUT_SECONDS = 30.0
"""Without a byte."""
MAX_FILE_SECONDS = 120.0
"""From the request to the last byte; the largest file has 2 MB."""
HEADER_PREFIXES = ("Div,", "Country,")
"""How a match file begins; a page that says that there is none begins otherwise."""


class _RemoteFile(NamedTuple):
    """A file of the site and where it goes."""

    url: str
    target: Path


def download(
    leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str, *, fixtures: bool = False
) -> Iterator[Path]:
    """Fetch match files into `folder`, one after the other; each file appears whole or not at all.

    `{season}/{league}.csv` of main leagues, with seasons written as the site does (`2324` for 2023/24),
    `new/{league}.csv` of extra leagues, which has all seasons, and with `fixtures` the matches to come.

    Raises:
        RejectedFileError: a league or season is none, or the site does not have it, or does not answer.
    """
    wanted = _season_files(leagues, seasons, folder, base_url)
    site = base_url.removesuffix(SEASONS_PATH)
    wanted += [_RemoteFile(f"{site}/new/{e}.csv", folder / "new" / f"{e}.csv") for e in leagues if e in EXTRA_LEAGUES]
    wanted += [_RemoteFile(f"{site}/{name}", folder / name) for name in FIXTURE_FILES] if fixtures else []
    with httpx2.Client(
        verify=create_ssl_context(),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=True,
        headers={"accept-encoding": "gzip"},
    ) as client:
        for file in wanted:
            yield _fetch(client, *file)


def has_season_files(leagues: Sequence[str]) -> bool:
    """Whether one of the leagues has a file for each season."""
    return not EXTRA_LEAGUES.keys() >= {*leagues}


def _season_files(leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str) -> list[_RemoteFile]:
    for league in leagues:
        if league not in SPORTS_BY_DIVISION and league not in EXTRA_LEAGUES:
            remedy = f"one of {', '.join([*SPORTS_BY_DIVISION, *EXTRA_LEAGUES])}"
            raise RejectedFileError(Rejection(league, "league_unknown", repr(league), remedy))
    for season in seasons:
        found = SEASON_PATTERN.fullmatch(season)
        if not found or (int(found[1]) + 1) % 100 != int(found[2]):
            raise RejectedFileError(Rejection(season, "season_unknown", repr(season), "write 2023/24 as 2324"))
    return [
        _RemoteFile(f"{base_url}/{season}/{league}.csv", folder / season / f"{league}.csv")
        for season in seasons
        for league in leagues
        if league in SPORTS_BY_DIVISION
    ]


def _fetch(client: httpx2.Client, url: str, target: Path) -> Path:
    try:
        body = _get(client, url)
    except httpx2.HTTPStatusError as error:
        remedy = "check league and season"
        raise RejectedFileError(
            Rejection(url, "not_published", f"HTTP {error.response.status_code}", remedy)
        ) from error
    except httpx2.HTTPError as error:
        remedy = "try again later"
        raise RejectedFileError(Rejection(url, "no_answer", str(error) or type(error).__name__, remedy)) from error
    except BodyError as error:
        remedy = "try again later, or check FOOTBALL_DATA_URL"
        raise RejectedFileError(Rejection(url, "no_answer", str(error), remedy)) from error
    if not strip_byte_order_marks(body.decode(errors="replace")).startswith(HEADER_PREFIXES):
        raise RejectedFileError(
            Rejection(url, "not_published", "the answer is no match file", "check league and season")
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(".part")
    scratch.write_bytes(body)
    return scratch.replace(target)


def _get(client: httpx2.Client, url: str) -> bytes:
    for attempt in stamina.retry_context(on=_is_retryable, attempts=MAX_ATTEMPTS, wait_initial=0.2):
        with attempt:
            deadline = time.monotonic() + MAX_FILE_SECONDS
            with client.stream("GET", url) as answer:
                return read_body_until(answer.raise_for_status(), MAX_BODY_BYTES, deadline)
    raise AssertionError  # the last attempt returns or raises


def _is_retryable(error: Exception) -> bool:
    """Whether another attempt may help."""
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx2.TransportError)
