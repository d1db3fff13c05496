"""`edge import`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from edge_assets.cli.application import err, out
from edge_assets.cli.interrupts import raise_on_signals
from edge_assets.core.settings import Settings
from edge_assets.core.terminal import to_single_line
from edge_assets.reference.sources import IMPORT_SOURCES, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from edge_assets.importers.reports import ImportReport

FORMAT_NAMES = f"{', '.join(IMPORT_SOURCES[:-1])} or {IMPORT_SOURCES[-1]}"


def import_(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help=FORMAT_NAMES)],
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="Files, folders or tars.")] = None,
    league: Annotated[
        list[str] | None, typer.Option(metavar="LEAGUE", help="football-data: fetch a league (E0, D1, ..., ARG).")
    ] = None,
    season: Annotated[
        list[str] | None, typer.Option(metavar="SEASON", help="football-data: season to fetch (2324).")
    ] = None,
    fixtures: Annotated[bool, typer.Option("--fixtures", help="football-data: fetch upcoming fixtures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import recorded odds and results; rows already stored are skipped.

    Without DATABASE_URL and without a running stack, the embedded database runs for the time of the import.
    """
    from edge_assets.importers.formats.batch import RejectedFileError
    from edge_assets.local.errors import LocalError

    try:
        name = _parse_format(format_name)
        report = _run(name, [*(paths or []), *_download(name, league or [], season or [], fixtures=fixtures)])
    except RejectedFileError as error:
        rejection = error.rejection
        msg = f"{rejection.file}: {rejection.reason} ({rejection.detail})"
        raise LocalError(msg, rejection.remedy) from error
    _print_report(report, as_json=as_json)
    if report.rejected_files:
        raise typer.Exit(1)


def _parse_format(name: str) -> str:
    from edge_assets.local.errors import LocalError

    if name not in IMPORT_SOURCES:
        msg = f"unknown import format {name!r}"
        raise LocalError(msg, f"FORMAT is {FORMAT_NAMES}")
    return name


def _download(name: str, leagues: list[str], seasons: list[str], *, fixtures: bool) -> list[Path]:
    """Download the requested files, and keep them below EDGE_HOME."""
    from edge_assets.importers.formats.football_download import download, has_season_files
    from edge_assets.local.errors import LocalError
    from edge_assets.local.home import Home

    if not leagues and not seasons and not fixtures:
        return []
    if name != Source.FOOTBALL_DATA:
        msg = "--league, --season and --fixtures apply only to football-data"
        raise LocalError(msg, "edge import football-data --league E0 --season 2324")
    if bool(seasons) < has_season_files(leagues) or (seasons and not leagues):
        msg = "--league and --season go together, except for extra leagues, whose files contain all seasons"
        raise LocalError(msg, "edge import football-data --league E0 --season 2324, or --league ARG")
    settings = Settings()
    folder = Home.open(settings.edge_home).root / "downloads" / name
    with err.status("fetching"):
        return list(download(leagues, seasons, folder, settings.football_data_url, fixtures=fixtures))


def _run(name: str, paths: list[Path]) -> ImportReport:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from edge_assets.importers.importer import Importer
    from edge_assets.local.errors import LocalError

    if not paths:
        msg = "nothing to import"
        raise LocalError(msg, "give a PATH, or for football-data --league and --season, or --fixtures")
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        _open_migrated_database() as url,
        Progress(*columns, console=err, transient=True) as progress,
        Importer(url) as importer,
    ):
        importer.progress = _ProgressBar(progress)
        return importer.run(Source(name), paths)


@contextmanager
def _open_migrated_database() -> Iterator[str]:
    """The database, migrated to the newest schema; without a stack, the embedded server runs for this time."""
    from edge_assets.local.embedded_database import open_database
    from edge_assets.local.home import Home
    from edge_assets.local.plan import Plan
    from edge_assets.store.postgres.schema import upgrade

    settings = Settings()
    home = Home.open(settings.edge_home)
    raise_on_signals()
    with open_database(home, settings) as url:
        if not settings.database_url:
            name = urlsplit(url).path[1:]
            notice = f"importing into database {name} of {home.root}; set DATABASE_URL to use another"
            err.print(notice, style="dim", soft_wrap=True)
            if Plan.load(home) is None and settings.odds_api_key is None:
                notice = "Without ODDS_API_KEY this is the simulation's database, which the live feed does not see."
                err.print(notice, style="yellow", soft_wrap=True)
        upgrade(url)
        yield url


class _ProgressBar:
    """Shows the progress of an import in bytes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading", total=None)

    def begin(self, total: int) -> None:
        """Start with `total` bytes to read."""
        self._progress.update(self._task, total=total)

    def advance(self, what: str, by: int) -> None:
        """Add `by` bytes, read from `what`."""
        self._progress.update(self._task, description=to_single_line(what), advance=by)


def _print_report(report: ImportReport, *, as_json: bool) -> None:
    for rejection in report.rejected.examples:
        err.print(to_single_line(str(rejection)), style="yellow", soft_wrap=True)
    if as_json:
        import json

        typer.echo(json.dumps(report.as_json()))
        return
    counts = report.as_json()
    rejected = counts.pop("rejected")
    for name, count in counts.items():
        out.print(f"{name.replace('_', ' '):12} {count:>12,}")
    for reason, count in rejected.items():
        out.print(f"rejected     {count:>12,} {to_single_line(reason)}")
