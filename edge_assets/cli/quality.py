"""`edge quality`: what the gate holds out of the warehouse, and what a person decides on it."""

from __future__ import annotations

import getpass
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JSON, echo_json, out, print_rows
from edge_assets.cli.database import database_url
from edge_assets.terminal import as_cell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from psycopg import Connection

    from edge_assets.store.findings import Finding, Scope

STATES = ("open", "accepted", "excluded", "withdrawn", "resolved")
HELP = "See what is held out of the warehouse and why, and decide on it."
app = typer.Typer(name="quality", help=HELP, no_args_is_help=True)
FINDING = Annotated[int | None, typer.Argument(metavar="[FINDING]", help="Its number in `edge quality list`.")]
IMPORT = Annotated[str | None, typer.Option("--import", help="Or an import: its number, or the end of its path.")]
BOOK = Annotated[str | None, typer.Option(help="Or a book, by its key; max and avg are aggregates.")]
SPORT = Annotated[str | None, typer.Option(help="Of a book, or as a whole.")]
SEASON = Annotated[int | None, typer.Option(min=1900, max=2200, help="Named by the year of its beginning.")]
MARKET = Annotated[str | None, typer.Option(help="h2h, h2h_3_way, spreads or totals.")]
WHY = Annotated[str, typer.Option(help="The reason, for whoever asks later.")]
BY = Annotated[str | None, typer.Option(help="Who decides; the user of this machine.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Those that are decided, too.")] = False,
    state: Annotated[str | None, typer.Option(help=f"Only those that are {', '.join(STATES)}.")] = None,
    sport: filtering.SPORT = None,
    book: filtering.BOOK = None,
    season: filtering.SEASON = None,
    check: Annotated[str | None, typer.Option(help="Only those that this check has found.")] = None,
    limit: filtering.LIMIT = 1_000,
    as_json: JSON = False,
) -> None:
    """List findings: what is suspected, and therefore held out of the warehouse."""
    from edge_assets.store.findings import BY_HAND, findings

    state = filtering.known_word(state, STATES, "state")
    with _database() as conn:
        sport, book = filtering.known_sport(conn, sport), filtering.known_book(conn, book)
        found = findings(conn, decided=everything or state is not None)
    check = filtering.known_word(check, {*_checks(), BY_HAND}, "check")
    of_book = [f for f in found if book in {None, f.book, f.kind} and (check is None or check in f.checks)]
    found = filtering.narrowed(of_book, sport=sport, season=season, state=state)[-limit:]
    if as_json:
        echo_json([_facts(finding) for finding in found])
        return
    header = ("id", "state", "what", "checks", "found")
    print_rows(header, [(str(f.id), _state(f), f.reach, ", ".join(f.checks), f"{f.found_at:%Y-%m-%d}") for f in found])


@app.command("imports")
def imports_(
    format_: Annotated[str | None, typer.Option("--format", help="Only those of this format.")] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Only those that are held out as a whole.")] = False,
    limit: filtering.LIMIT = 1_000_000,
    as_json: JSON = False,
) -> None:
    """List imports, with their numbers."""
    from dataclasses import asdict

    from edge_assets.store.imports import stored_imports

    with _database() as conn:
        known = stored_imports(conn)
    format_ = filtering.known_word(format_, {i.format for i in known}, "imported format")
    found = filtering.narrowed(known, format=format_, is_held_out=True if held_out else None)[-limit:]
    if as_json:
        echo_json([_plain(asdict(one)) for one in found])
        return
    rows = [
        (
            str(i.id),
            "held out" if i.is_held_out else "",
            i.format,
            f"{i.rows:,}",
            f"{sum(i.rejected.values()):,}",
            i.path,
        )
        for i in found
    ]
    print_rows(("id", "", "format", "rows", "rejected", "path"), rows)


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="FINDING")], as_json: JSON = False) -> None:
    """Show a finding: its reason, evidence and reach, what was decided, and what can be done."""
    from edge_assets.store.findings import decisions, finding_of
    from edge_assets.store.holding import count_reached

    with _database() as conn:
        finding = finding_of(conn, number)
        if finding is None:
            raise _missing(number)
        prices, events = count_reached(conn, number)
        decided = [_plain(decision._asdict()) for decision in decisions(conn, number)]
    facts = _facts(finding) | {"prices": prices, "events": events, "decisions": decided}
    if as_json:
        echo_json(facts)
        return
    for name, value in facts.items():
        if value is not None and name not in {"evidence", "decisions"}:
            out.print(f"{name.replace('_', ' '):15} {as_cell(str(value))}", soft_wrap=True)
    for failed in finding.evidence.get("failed", []):
        for example in failed["examples"]:
            values = ", ".join(f"{name} {value}" for name, value in example.items())
            text = as_cell(f"{failed['book']} {failed['market']}: {values}")
            out.print(f"{'':15} {text}", soft_wrap=True)
    for decision in decided:
        text = f"{decision['decided_at']} {decision['decision']} by {decision['decided_by']}: {decision['reason']}"
        out.print(f"{'':15} {as_cell(text)}", soft_wrap=True)


@app.command()
def accept(
    why: WHY,
    number: FINDING = None,
    import_: IMPORT = None,
    book: BOOK = None,
    sport: SPORT = None,
    season: SEASON = None,
    market: MARKET = None,
    by: BY = None,
    as_json: JSON = False,
) -> None:
    """Say that the data is right: the next build of the warehouse takes it in."""
    _decide("accepted", number, (import_, book, sport, season, market), by, why, as_json=as_json)


@app.command()
def exclude(
    why: WHY,
    number: FINDING = None,
    import_: IMPORT = None,
    book: BOOK = None,
    sport: SPORT = None,
    season: SEASON = None,
    market: MARKET = None,
    by: BY = None,
    as_json: JSON = False,
) -> None:
    """Keep the data out for good."""
    _decide("excluded", number, (import_, book, sport, season, market), by, why, as_json=as_json)


@app.command()
def withdraw(why: WHY, number: FINDING = None, import_: IMPORT = None, by: BY = None, as_json: JSON = False) -> None:
    """Take an import out: the next build of the warehouse is as if it had never been, and it stays on record."""
    _decide("withdrawn", number, (import_, None, None, None, None), by, why, as_json=as_json)


def _decide(
    decision: str,
    number: int | None,
    named: tuple[str | None, str | None, str | None, int | None, str | None],
    by: str | None,
    why: str,
    *,
    as_json: bool,
) -> None:
    from edge_assets.local.errors import LocalError
    from edge_assets.store import findings as store

    who, why = _said("--by", by or getpass.getuser()), _said("--why", why)
    if number is not None and any(name is not None for name in named):
        raise LocalError(f"finding {number} is given, and names beside it", "give its number, or names, not both")
    with _database() as conn:
        if number is None:
            number = store.record_wish(conn, _scope(conn, *named), who, why)
        finding = store.finding_of(conn, number)
        if finding is None:
            raise _missing(number)
        if decision == "withdrawn":
            number = _whole_import(conn, finding, who, why)
        again = store.decide(conn, number, decision, who, why)
        finding = store.finding_of(conn, number) or finding
    if as_json:
        echo_json(_facts(finding) | {"import_again": again})
        return
    out.print(f"{decision}: {as_cell(finding.reach)}; the next build of the warehouse goes by it", soft_wrap=True)
    for path in again:
        out.print(f"import again, because it told some of the same: {as_cell(path)}", soft_wrap=True)


def _said(option: str, text: str) -> str:
    """What a person said, fit to be stored."""
    from edge_assets.local.errors import LocalError
    from edge_assets.texts import UnusableTextError, clean_text

    try:
        return clean_text(text)
    except UnusableTextError as error:
        msg = f"{option}: {error}"
        raise LocalError(msg, "say in a sentence why, and who says so") from None


def _whole_import(conn: Connection, finding: Finding, by: str, why: str) -> int:
    """The finding on the whole of an import; a book of it cannot be withdrawn, but excluded."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.findings import Scope, record_wish

    if finding.import_id is None:
        msg = f"finding {finding.id} is about {finding.reach}, which is no import"
        raise LocalError(msg, f"`edge quality exclude {finding.id}` keeps it out")
    return record_wish(conn, Scope(import_id=finding.import_id), by, why)


def _scope(
    conn: Connection, import_: str | None, book: str | None, sport: str | None, season: int | None, market: str | None
) -> Scope:
    from edge_assets.local.errors import LocalError
    from edge_assets.store import findings as store

    if import_ is None and sport is None:
        msg = "it is not said what to decide on"
        raise LocalError(msg, "give the number of a finding, or --import, or --sport with --book, --season, --market")
    try:
        return store.scope_of(conn, _import_id(conn, import_), book, sport, season, market)
    except store.UnknownNameError as error:
        raise LocalError(str(error), error.remedy) from error


def _import_id(conn: Connection, text: str | None) -> int | None:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.imports import stored_imports

    if text is None:
        return None
    known = stored_imports(conn)
    found = [i.id for i in known if str(i.id) == text] or [i.id for i in known if i.path.endswith(text)]
    if len(found) != 1:
        msg = f"{len(found) or 'no'} imports are {text!r}"
        raise LocalError(msg, "`edge quality imports` tells their numbers")
    return found[0]


@contextmanager
def _database() -> Iterator[Connection]:
    from edge_assets.store.database import connect

    with closing(connect(database_url(), "edge quality")) as conn:
        yield conn


def _checks() -> Collection[str]:
    from edge_assets.quality.checks import CHECKS

    return CHECKS


def _missing(number: int) -> Exception:
    from edge_assets.local.errors import LocalError

    return LocalError(f"there is no finding {number}", "`edge quality list --all` tells which there are")


def _state(finding: Finding) -> str:
    return "blocks" if finding.blocks and finding.state == "open" else finding.state


def _facts(finding: Finding) -> dict[str, Any]:
    from dataclasses import asdict

    return _plain(asdict(finding)) | {"reach": finding.reach, "remedy": finding.remedy}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}
