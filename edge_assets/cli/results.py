"""`edge results`: results as stated by each source, contradictions between them, and decisions."""

from __future__ import annotations

import getpass
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.database import find_database_url
from edge_assets.core.terminal import to_single_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg import Connection

    from edge_assets.store.events.result_decisions import DecidedScore
    from edge_assets.store.events.results import EventResult
    from ml.settlement import ScorePeriod

app = typer.Typer(
    name="results", help="List and show results, and decide those on which sources disagree.", no_args_is_help=True
)
EventArgument = Annotated[
    int, typer.Argument(metavar="EVENT", help="The event's number, as `edge results list` shows it.")
]
PERIODS = ("regulation", "full")
PERIOD_HELP = "regulation or full (with overtime); may be repeated. Default: the contradicted one."
SCORE_PATTERN = re.compile(r"(\d{1,3})\s*[-:]\s*(\d{1,3})")


@app.command("list")
def list_(
    contradicted: Annotated[bool, typer.Option("--contradicted", help="Only contradicted results.")] = False,
    decided: Annotated[bool, typer.Option("--decided", help="Only decided results.")] = False,
    sport: filtering.SportOption = None,
    season: filtering.SeasonOption = None,
    team: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Only games of a team whose name contains this.")
    ] = None,
    limit: filtering.LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List effective results, one per game and period."""
    from edge_assets.store.events.result_decisions import ResultFilter, load_current_results

    with _open_database() as conn:
        criteria = ResultFilter(contradicted, decided, filtering.validate_sport(conn, sport), season, team)
        rows = load_current_results(conn, criteria, limit)
    if as_json:
        echo_json([_json_values(row) for row in rows])
        return
    print_rows(("event", "start", "game", "period", "result", "source", ""), list(map(_row_cells, rows)))
    if any(row["contradicted"] for row in rows):
        out.print("\ncontradicted results settle nothing: `edge results show EVENT`, then `edge results decide EVENT`")


@app.command()
def show(event: EventArgument, as_json: JsonOption = False) -> None:
    """Show all statements and decisions about a game's result, and which one is effective."""
    from dataclasses import asdict

    from edge_assets.store.events.result_decisions import load_result_statements

    with _open_database() as conn:
        game, effective, statements = (
            _load_game(conn, event),
            _effective_results(conn, event),
            load_result_statements(conn, event),
        )
    if as_json:
        statement_rows, effective_rows = (
            [_json_values(asdict(row)) for row in rows] for rows in (statements, effective)
        )
        echo_json(_json_values(game) | {"statements": statement_rows, "effective": effective_rows})
        return
    out.print(f"{to_single_line(_format_teams(game))}, {game['sport']}, {game['commence_at']:%Y-%m-%d %H:%M}")
    statement_cells = [
        (
            f"{w.observed_at:%Y-%m-%d %H:%M}",
            w.source,
            w.period,
            _format_score(w),
            _format_author(w.decided_by, w.reason),
        )
        for w in statements
    ]
    print_rows(("received", "source", "period", "result", ""), statement_cells)
    out.print()
    effective_cells = [
        (r.period, _format_score(r), r.source, "contradicted: settles nothing" if r.contradicted else "")
        for r in effective
    ]
    print_rows(("period", "result", "source", ""), effective_cells)


@app.command()
def decide(
    event: EventArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, and based on what.")],
    score: Annotated[str | None, typer.Option(metavar="SCORE", help="The score, home first: 2-1.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Use the latest result of this source: espn.")
    ] = None,
    not_played: Annotated[
        bool, typer.Option("--not-played", "--void", help="The game was not played: bets are void.")
    ] = False,
    period: Annotated[list[str] | None, typer.Option(metavar="PERIOD", help=PERIOD_HELP)] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: the current user.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Decide the result of a game; it is effective from now on, until decided again.

    Statements of sources are kept. The next warehouse build settles by the decision.
    """
    from edge_assets.core.clock import WallClock
    from edge_assets.core.texts import UnusableTextError, clean_text
    from edge_assets.local.errors import LocalError
    from edge_assets.store.events.result_decisions import decide_result

    try:
        clean_reason, clean_author = clean_text(reason), clean_text(by or getpass.getuser())
    except UnusableTextError as error:
        msg = f"--reason or --by: {error}"
        raise LocalError(msg, "give a reason and a name in plain text") from None
    with _open_database() as conn:
        _load_game(conn, event)
        scores = _parse_decision(conn, event, score, source, period or [], not_played=not_played)
        decide_result(conn, event, scores, at=WallClock().now(), by=clean_author, reason=clean_reason, source=source)
    show(event, as_json=as_json)


def _parse_decision(
    conn: Connection, event: int, score: str | None, source: str | None, periods: Sequence[str], *, not_played: bool
) -> list[DecidedScore]:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.events.result_decisions import DecidedScore
    from ml.settlement import GameStatus, ScorePeriod

    if [score is not None, source is not None, not_played].count(True) != 1:
        raise LocalError("exactly one decision is needed", "give one of --score 2-1, --source espn, --not-played")
    if source is not None:
        return _scores_of_source(conn, event, source, periods)
    if not_played:
        return [
            DecidedScore(ScorePeriod(p), GameStatus.NOT_PLAYED, None) for p in _validate_periods(periods) or PERIODS
        ]
    parsed_score = _parse_score(str(score))
    return [DecidedScore(p, GameStatus.FINAL, parsed_score) for p in _choose_periods(conn, event, periods)]


def _scores_of_source(conn: Connection, event: int, source: str, periods: Sequence[str]) -> list[DecidedScore]:
    """The latest scores that a source states, for `periods` or for all."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.events.result_decisions import DecidedScore, load_newest_source_statements
    from ml.settlement import GameStatus, Score, ScorePeriod

    chosen = _validate_periods(periods) or PERIODS
    found = [
        DecidedScore(ScorePeriod(p), GameStatus(status), None if home is None or away is None else Score(home, away))
        for p, status, home, away in load_newest_source_statements(conn, event, source)
        if p in chosen
    ]
    if not found:
        msg = f"{source} has stated no {' or '.join(chosen)} score for this game"
        raise LocalError(msg, f"run `edge results show {event}` to see the sources, or give the result with --score")
    return found


def _choose_periods(conn: Connection, event: int, periods: Sequence[str]) -> list[ScorePeriod]:
    """The periods to which a given score applies: those named, or the only contradicted one."""
    from edge_assets.local.errors import LocalError
    from ml.settlement import ScorePeriod

    results = _effective_results(conn, event)
    in_question = [row.period for row in results if row.contradicted] or [row.period for row in results]
    chosen = _validate_periods(periods) or [period for period in in_question if period in PERIODS]
    if not periods and (len(chosen) != 1 or "unstated" in in_question):
        msg = "the period of the score is not clear: a game may go into overtime"
        raise LocalError(msg, "add --period regulation or --period full, or both if there was no overtime")
    return [ScorePeriod(period) for period in chosen]


def _validate_periods(periods: Sequence[str]) -> list[str]:
    from edge_assets.local.errors import LocalError

    for period in periods:
        if period not in PERIODS:
            msg = f"unknown period {period!r}"
            raise LocalError(msg, f"--period {' or --period '.join(PERIODS)}")
    return list(dict.fromkeys(periods))


def _parse_score(text: str) -> Any:
    from edge_assets.local.errors import LocalError
    from ml.settlement import Score

    found = SCORE_PATTERN.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r} is not a score"
        raise LocalError(msg, "write --score 2-1, the home side first")
    return Score(int(found[1]), int(found[2]))


@contextmanager
def _open_database() -> Iterator[Connection]:
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge results")) as conn:
        yield conn


def _load_game(conn: Connection, event: int) -> Mapping[str, Any]:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.events.result_decisions import find_event

    found = find_event(conn, event)
    if found is None:
        msg = f"there is no event {event}"
        raise LocalError(msg, "run `edge results list` to see the event numbers")
    return found


def _effective_results(conn: Connection, event: int) -> list[EventResult]:
    from datetime import UTC, datetime

    from edge_assets.store.events.results import load_results_at

    return load_results_at(conn, [event], datetime.max.replace(tzinfo=UTC))


def _json_values(row: Mapping[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in row.items()}


def _row_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    result = _format_result(row["status"], row["home_score"], row["away_score"])
    start, remark = f"{row['commence_at']:%Y-%m-%d}", "contradicted" if row["contradicted"] else ""
    return str(row["event_id"]), start, _format_teams(row), row["period"], result, row["source"], remark


def _format_teams(row: Mapping[str, Any]) -> str:
    return f"{row['home_team']} - {row['away_team']}"


def _format_score(row: Any) -> str:
    return _format_result(row.status, row.home_score, row.away_score)


def _format_result(status: str, home: int | None, away: int | None) -> str:
    score = "" if home is None else f" {home}-{away}"
    return f"{status.replace('_', ' ')}{score}"


def _format_author(by: str | None, reason: str | None) -> str:
    return f"{by}: {reason}" if by else ""
