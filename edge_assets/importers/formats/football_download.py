"""Download match files of football-data.co.uk: by league and season, of extra leagues, and of future matches."""

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
"""The path of season files; those of extra leagues and future matches are one level up."""
FIXTURE_FILES = ("fixtures.csv", "new_league_fixtures.csv")
MAX_ATTEMPTS = 3
TIMEOUT_SECONDS = 30.0
"""Between two bytes."""
MAX_FILE_SECONDS = 120.0
"""From the request to the last byte; the largest file has 2 MB."""
HEADER_PREFIXES = ("Div,", "Country,")
"""The start of a match file; an error page starts differently."""


class _RemoteFile(NamedTuple):
    """A file of the site and its local target."""

    url: str
    target: Path


def download(
    leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str, *, fixtures: bool = False
) -> Iterator[Path]:
    """Download match files into `folder`, one after the other; each is written atomically.

    `{season}/{league}.csv` of main leagues, with seasons written as the site does (`2324` for 2023/24),
    `new/{league}.csv` of extra leagues, which has all seasons, and with `fixtures` the future matches.

    Raises:
        RejectedFileError: a league or season is unknown or not published, or the site does not respond.
    """
    remote_files = _season_files(leagues, seasons, folder, base_url)
    site = base_url.removesuffix(SEASONS_PATH)
    remote_files += [
        _RemoteFile(f"{site}/new/{e}.csv", folder / "new" / f"{e}.csv") for e in leagues if e in EXTRA_LEAGUES
    ]
    remote_files += [_RemoteFile(f"{site}/{name}", folder / name) for name in FIXTURE_FILES] if fixtures else []
    with httpx2.Client(
        verify=create_ssl_context(),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=True,
        headers={"accept-encoding": "gzip"},
    ) as client:
        for file in remote_files:
            yield _fetch(client, *file)


def has_season_files(leagues: Sequence[str]) -> bool:
    """Whether any of the leagues has one file per season."""
    return not EXTRA_LEAGUES.keys() >= {*leagues}


def _season_files(leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str) -> list[_RemoteFile]:
    for league in leagues:
        if league not in SPORTS_BY_DIVISION and league not in EXTRA_LEAGUES:
            remedy = f"use one of {', '.join([*SPORTS_BY_DIVISION, *EXTRA_LEAGUES])}"
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
        raise RejectedFileError(Rejection(url, "no_response", str(error) or type(error).__name__, remedy)) from error
    except BodyError as error:
        remedy = "try again later, or check FOOTBALL_DATA_URL"
        raise RejectedFileError(Rejection(url, "no_response", str(error), remedy)) from error
    if not strip_byte_order_marks(body.decode(errors="replace")).startswith(HEADER_PREFIXES):
        raise RejectedFileError(
            Rejection(url, "not_published", "the response is not a match file", "check league and season")
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(".part")
    scratch.write_bytes(body)
    return scratch.replace(target)


def _get(client: httpx2.Client, url: str) -> bytes:
    for attempt in stamina.retry_context(on=_is_retryable, attempts=MAX_ATTEMPTS, wait_initial=0.2):
        with attempt:
            deadline = time.monotonic() + MAX_FILE_SECONDS
            with client.stream("GET", url) as response:
                return read_body_until(response.raise_for_status(), MAX_BODY_BYTES, deadline)
    raise AssertionError  # the last attempt returns or raises


def _is_retryable(error: Exception) -> bool:
    """Whether another attempt may succeed."""
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx2.TransportError)
