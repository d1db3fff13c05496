"""Fetches match files of football-data.co.uk: by league and season, of extra leagues, and of matches to come."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import stamina

from edge_assets.feeds.bodies import MAX_BODY_BYTES, BodyError, read_body_until
from edge_assets.feeds.history.batch import Refusal, RefusedFileError
from edge_assets.feeds.history.delimited import without_marks
from edge_assets.feeds.history.football_layouts import EXTRA_LEAGUES, SPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEASON = re.compile(r"(\d\d)(\d\d)")
SEASONS_PATH = "/mmz4281"
"""Where the site has the files of a season; those of extra leagues and of matches to come are above."""
FIXTURES = ("fixtures.csv", "new_league_fixtures.csv")
ATTEMPTS = 3
TIMEOUT_SECONDS = 30.0
"""Without a byte."""
FILE_SECONDS = 120.0
"""From the request to the last byte; the largest file has 2 MB."""
HEADER = ("Div,", "Country,")
"""How a match file begins; a page that says that there is none begins otherwise."""


class _File(NamedTuple):
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
        RefusedFileError: a league or season is none, or the site does not have it, or does not answer.
    """
    wanted = _of_seasons(leagues, seasons, folder, base_url)
    site = base_url.removesuffix(SEASONS_PATH)
    wanted += [_File(f"{site}/new/{e}.csv", folder / "new" / f"{e}.csv") for e in leagues if e in EXTRA_LEAGUES]
    wanted += [_File(f"{site}/{name}", folder / name) for name in FIXTURES] if fixtures else []
    with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=True, headers={"accept-encoding": "gzip"}) as client:
        for file in wanted:
            yield _fetch(client, *file)


def need_seasons(leagues: Sequence[str]) -> bool:
    """Whether one of the leagues has a file for each season."""
    return not EXTRA_LEAGUES.keys() >= {*leagues}


def _of_seasons(leagues: Sequence[str], seasons: Sequence[str], folder: Path, base_url: str) -> list[_File]:
    for league in leagues:
        if league not in SPORTS and league not in EXTRA_LEAGUES:
            remedy = f"one of {', '.join([*SPORTS, *EXTRA_LEAGUES])}"
            raise RefusedFileError(Refusal(league, "league_unknown", repr(league), remedy))
    for season in seasons:
        found = SEASON.fullmatch(season)
        if not found or (int(found[1]) + 1) % 100 != int(found[2]):
            raise RefusedFileError(Refusal(season, "season_unknown", repr(season), "write 2023/24 as 2324"))
    return [
        _File(f"{base_url}/{season}/{league}.csv", folder / season / f"{league}.csv")
        for season in seasons
        for league in leagues
        if league in SPORTS
    ]


def _fetch(client: httpx.Client, url: str, target: Path) -> Path:
    try:
        body = _get(client, url)
    except httpx.HTTPStatusError as error:
        remedy = "check league and season"
        raise RefusedFileError(Refusal(url, "not_published", f"HTTP {error.response.status_code}", remedy)) from error
    except httpx.HTTPError as error:
        remedy = "try again later"
        raise RefusedFileError(Refusal(url, "no_answer", str(error) or type(error).__name__, remedy)) from error
    except BodyError as error:
        remedy = "try again later, or check FOOTBALL_DATA_URL"
        raise RefusedFileError(Refusal(url, "no_answer", str(error), remedy)) from error
    if not without_marks(body.decode(errors="replace")).startswith(HEADER):
        raise RefusedFileError(Refusal(url, "not_published", "the answer is no match file", "check league and season"))
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(".part")
    scratch.write_bytes(body)
    return scratch.replace(target)


def _get(client: httpx.Client, url: str) -> bytes:
    for attempt in stamina.retry_context(on=_is_passing, attempts=ATTEMPTS, wait_initial=0.2):
        with attempt:
            deadline = time.monotonic() + FILE_SECONDS
            with client.stream("GET", url) as answer:
                return read_body_until(answer.raise_for_status(), MAX_BODY_BYTES, deadline)
    raise AssertionError  # the last attempt returns or raises


def _is_passing(error: Exception) -> bool:
    """Whether another attempt may help."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)
