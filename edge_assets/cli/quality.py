"""`edge quality`: findings of the quality gate, and decisions on them."""

from __future__ import annotations

import getpass
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.database import find_database_url
from edge_assets.core.terminal import to_single_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from psycopg import Connection

    from edge_assets.store.analytics.findings import Finding, FindingScope
    from edge_assets.store.events.identities import NamedEvent

FINDING_STATES = ("open", "accepted", "excluded", "withdrawn", "resolved")
HELP = "List, show and decide findings of the quality gate."
app = typer.Typer(name="quality", help=HELP, no_args_is_help=True)
FindingArgument = Annotated[int | None, typer.Argument(metavar="[FINDING]", help="Its number in `edge quality list`.")]
ImportOption = Annotated[
    str | None, typer.Option("--import", metavar="IMPORT", help="Or an import: its number, or the end of its path.")
]
BookOption = Annotated[
    str | None, typer.Option(metavar="BOOK", help="Or a book, by its key; max and avg are aggregates.")
]
SportOption = Annotated[
    str | None, typer.Option(metavar="SPORT", help="The sport of the book; alone, the whole sport.")
]
SeasonOption = Annotated[
    int | None, typer.Option(metavar="YEAR", min=1900, max=2200, help="Season, named by its first year.")
]
MarketOption = Annotated[str | None, typer.Option(metavar="MARKET", help="h2h, h2h_3_way, spreads or totals.")]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Reason, kept with the decision.")]
DeciderOption = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: the current user.")]


@app.command("list")
def list_(
    include_decided: Annotated[bool, typer.Option("--all", help="Include decided findings.")] = False,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help=f"Only those in this state: {', '.join(FINDING_STATES)}.")
    ] = None,
    sport: filtering.SportOption = None,
    book: filtering.BookOption = None,
    season: filtering.SeasonOption = None,
    check: Annotated[str | None, typer.Option(metavar="CHECK", help="Only findings of this check.")] = None,
    limit: filtering.LimitOption = 1_000,
    as_json: JsonOption = False,
) -> None:
    """List findings: suspicious data, which is held out of the warehouse until decided."""
    from edge_assets.store.analytics.findings import MANUAL_CHECK, load_findings

    state = filtering.validate_choice(state, FINDING_STATES, "state")
    with _open_database() as conn:
        sport, book = filtering.validate_sport(conn, sport), filtering.validate_book(conn, book)
        found = load_findings(conn, include_decided=include_decided or state is not None)
    check = filtering.validate_choice(check, {*_check_names(), MANUAL_CHECK}, "check")
    matching = [f for f in found if book in {None, f.book, f.kind} and (check is None or check in f.checks)]
    found = filtering.filter_rows(matching, sport=sport, season=season, state=state)[-limit:]
    if as_json:
        echo_json([_finding_json(finding) for finding in found])
        return
    header = ("id", "state", "what", "checks", "found")
    print_rows(
        header,
        [
            (str(f.id), _displayed_state(f), f.scope_summary, ", ".join(f.checks), f"{f.found_at:%Y-%m-%d}")
            for f in found
        ],
    )


@app.command("imports")
def imports_(
    format_: Annotated[str | None, typer.Option("--format", metavar="FORMAT", help="Only this format.")] = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Only imports that are held out as a whole.")] = False,
    limit: filtering.LimitOption = 1_000_000,
    as_json: JsonOption = False,
) -> None:
    """List imports, with their numbers."""
    from dataclasses import asdict

    from edge_assets.store.events.imports import load_imports

    with _open_database() as conn:
        known = load_imports(conn)
    format_ = filtering.validate_choice(format_, {i.format for i in known}, "imported format")
    found = filtering.filter_rows(known, format=format_, is_held_out=True if held_out else None)[-limit:]
    if as_json:
        echo_json([_json_values(asdict(one)) for one in found])
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
def duplicates(sport: filtering.SportOption = None, as_json: JsonOption = False) -> None:
    """List pairs of stored events that may be one match."""
    from edge_assets.importers.duplicate_events import find_suspected_duplicates
    from edge_assets.store.events.identities import load_named_events

    with _open_database() as conn:
        sport = filtering.validate_sport(conn, sport)
        events = [event for event in load_named_events(conn) if event.sport.startswith(sport or "")]
    found = find_suspected_duplicates(events)
    if as_json:
        echo_json([_pair_json(first, second) | {"reason": reason} for first, second, reason in found])
        return
    rows = [
        (
            f"{first.id}, {second.id}",
            f"{first.commence_at:%Y-%m-%d}, {second.commence_at:%Y-%m-%d}",
            ", ".join(str(event.id) for event in (first, second) if event.has_result) or "neither",
            first.sport,
            to_single_line(f"{first.home_team} - {first.away_team}"),
            reason,
        )
        for first, second, reason in found
    ]
    print_rows(("events", "starts", "with result", "sport", "teams", "why"), rows)


def _pair_json(first: NamedEvent, second: NamedEvent) -> dict[str, Any]:
    return {"first": _json_values(first._asdict()), "second": _json_values(second._asdict())}


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="FINDING")], as_json: JsonOption = False) -> None:
    """Show a finding: its reason, evidence and scope, decisions, and what can be done."""
    from edge_assets.store.analytics.findings import find_finding, load_finding_decisions
    from edge_assets.store.analytics.held_out import count_prices_of_findings

    with _open_database() as conn:
        finding = find_finding(conn, number)
        if finding is None:
            raise _missing_finding_error(number)
        prices, events = count_prices_of_findings(conn, finding.ids)
        decision_rows = [_json_values(decision._asdict()) for decision in load_finding_decisions(conn, number)]
    details = _finding_json(finding) | {"prices": prices, "events": events, "decisions": decision_rows}
    if as_json:
        echo_json(details)
        return
    for name, value in details.items():
        if value is not None and name not in {"evidence", "decisions", "files"}:
            out.print(f"{name.replace('_', ' '):15} {to_single_line(str(value))}", soft_wrap=True)
    for evidence in [each.evidence for each in finding.files] or [finding.evidence]:
        _print_examples(evidence)
    for each in finding.files if len(finding.files) > 1 else []:
        out.print(f"{'':15} {to_single_line(f'import {each.import_id} ({each.file}): {each.reason}')}", soft_wrap=True)
    for decision in decision_rows:
        text = f"{decision['decided_at']} {decision['decision']} by {decision['decided_by']}: {decision['reason']}"
        out.print(f"{'':15} {to_single_line(text)}", soft_wrap=True)


def _print_examples(evidence: dict[str, Any]) -> None:
    for failed in evidence.get("failed", []):
        for example in failed["examples"]:
            values = ", ".join(f"{name} {value}" for name, value in example.items())
            text = to_single_line(f"{failed['book']} {failed['market']}: {values}")
            out.print(f"{'':15} {text}", soft_wrap=True)


@app.command()
def accept(
    why: ReasonOption,
    number: FindingArgument = None,
    import_: ImportOption = None,
    book: BookOption = None,
    sport: SportOption = None,
    season: SeasonOption = None,
    market: MarketOption = None,
    by: DeciderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept the data as correct: the next warehouse build includes it."""
    _decide("accepted", number, (import_, book, sport, season, market), by, why, as_json=as_json)


@app.command()
def exclude(
    why: ReasonOption,
    number: FindingArgument = None,
    import_: ImportOption = None,
    book: BookOption = None,
    sport: SportOption = None,
    season: SeasonOption = None,
    market: MarketOption = None,
    by: DeciderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep the data out of the warehouse permanently."""
    _decide("excluded", number, (import_, book, sport, season, market), by, why, as_json=as_json)


@app.command()
def withdraw(
    why: ReasonOption,
    number: FindingArgument = None,
    import_: ImportOption = None,
    by: DeciderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw an import: the next warehouse build ignores it; its data stays in the database."""
    _decide("withdrawn", number, (import_, None, None, None, None), by, why, as_json=as_json)


def _decide(
    decision: str,
    number: int | None,
    scope_names: tuple[str | None, str | None, str | None, int | None, str | None],
    by: str | None,
    why: str,
    *,
    as_json: bool,
) -> None:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.analytics import findings as store

    decider, why = _clean_option("--by", by or getpass.getuser()), _clean_option("--why", why)
    if number is not None and any(name is not None for name in scope_names):
        raise LocalError(f"both finding {number} and names are given", "give its number, or names, not both")
    is_named = number is None
    with _open_database() as conn:
        if number is None:
            number = store.find_or_record_finding(conn, _resolve_scope(conn, *scope_names), decider, why)
        finding = store.find_finding(conn, number)
        if finding is None:
            raise _missing_finding_error(number)
        numbers = _import_findings(conn, finding, decider, why) if decision == "withdrawn" else [number]
        reimports = {
            path
            for each in numbers
            for path in store.decide_finding(conn, each, decision, decider, why, only_its_file=is_named)
        }
        finding = store.find_finding(conn, numbers[0]) or finding
    if as_json:
        echo_json(_finding_json(finding) | {"import_again": sorted(reimports)})
        return
    out.print(
        f"{decision}: {to_single_line(finding.scope_summary)}; applied by the next warehouse build",
        soft_wrap=True,
    )
    for path in sorted(reimports):
        out.print(
            f"import again, because it shares rows with the withdrawn import: {to_single_line(path)}", soft_wrap=True
        )


def _clean_option(option: str, text: str) -> str:
    """A text option, cleaned for storage."""
    from edge_assets.core.texts import UnusableTextError, clean_text
    from edge_assets.local.errors import LocalError

    try:
        return clean_text(text)
    except UnusableTextError as error:
        msg = f"{option}: {error}"
        raise LocalError(msg, "give a reason and a name in plain text") from None


def _import_findings(conn: Connection, finding: Finding, by: str, why: str) -> list[int]:
    """The findings on whole imports; a single book in one can be excluded, not withdrawn."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.analytics.findings import FindingScope, find_or_record_finding

    if not finding.imports:
        msg = f"finding {finding.id} is about {finding.scope_summary}, not an import"
        raise LocalError(msg, f"run `edge quality exclude {finding.id}` to keep it out")
    return [find_or_record_finding(conn, FindingScope(import_id=each), by, why) for each in finding.imports]


def _resolve_scope(
    conn: Connection, import_: str | None, book: str | None, sport: str | None, season: int | None, market: str | None
) -> FindingScope:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.analytics import findings as store

    if import_ is None and sport is None:
        msg = "nothing selected to decide on"
        raise LocalError(msg, "give the number of a finding, or --import, or --sport with --book, --season, --market")
    try:
        return store.resolve_scope(conn, _resolve_import_id(conn, import_), book, sport, season, market)
    except store.UnknownScopeNameError as error:
        raise LocalError(str(error), error.remedy) from error


def _resolve_import_id(conn: Connection, text: str | None) -> int | None:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.events.imports import load_imports

    if text is None:
        return None
    known = load_imports(conn)
    found = [i.id for i in known if str(i.id) == text] or [i.id for i in known if i.path.endswith(text)]
    if len(found) != 1:
        msg = f"{len(found) or 'no'} imports match {text!r}"
        raise LocalError(msg, "run `edge quality imports` to list them")
    return found[0]


@contextmanager
def _open_database() -> Iterator[Connection]:
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge quality")) as conn:
        yield conn


def _check_names() -> Collection[str]:
    from edge_assets.quality.checks import CHECK_DESCRIPTIONS

    return CHECK_DESCRIPTIONS


def _missing_finding_error(number: int) -> Exception:
    from edge_assets.local.errors import LocalError

    return LocalError(f"there is no finding {number}", "run `edge quality list --all` to list them")


def _displayed_state(finding: Finding) -> str:
    return "blocks" if finding.blocks and finding.state == "open" else finding.state


def _finding_json(finding: Finding) -> dict[str, Any]:
    from dataclasses import asdict

    return _json_values(asdict(finding)) | {"reach": finding.scope_summary, "remedy": finding.remedy}


def _json_values(values: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}
