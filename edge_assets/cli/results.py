"""`edge results`: what sources say of games, where they contradict each other, and a person's decision."""

from __future__ import annotations

import getpass
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JSON, echo_json, out, print_rows
from edge_assets.cli.database import database_url
from edge_assets.terminal import as_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg import Connection

    from edge_assets.store.decisions import DecidedScore
    from edge_assets.store.results import EventResult
    from ml.settlement import ScorePeriod

app = typer.Typer(name="results", help="Look at results, and decide where sources contradict.", no_args_is_help=True)
EVENT = Annotated[int, typer.Argument(metavar="EVENT", help="The event's number, as `edge results list` shows it.")]
PERIODS = ("regulation", "full")
PERIOD_HELP = "regulation or full (with overtime); may be repeated. Default: the contradicted one."
SCORE = re.compile(r"(\d{1,3})\s*[-:]\s*(\d{1,3})")


@app.command("list")
def list_(
    contradicted: Annotated[bool, typer.Option("--contradicted", help="Only those that settle nothing.")] = False,
    decided: Annotated[bool, typer.Option("--decided", help="Only those that a person has decided.")] = False,
    sport: filtering.SPORT = None,
    season: filtering.SEASON = None,
    team: Annotated[str | None, typer.Option(help="Only games of a team whose name has this in it.")] = None,
    limit: filtering.LIMIT = 100,
    as_json: JSON = False,
) -> None:
    """List the results that hold, one a game and period."""
    from edge_assets.store.decisions import Wanted, standing_results

    with _database() as conn:
        wanted = Wanted(contradicted, decided, filtering.known_sport(conn, sport), season, team)
        rows = standing_results(conn, wanted, limit)
    if as_json:
        echo_json([_facts(row) for row in rows])
        return
    print_rows(("event", "start", "game", "period", "result", "source", ""), list(map(_listed, rows)))
    if any(row["contradicted"] for row in rows):
        out.print("\ncontradicted results settle nothing: `edge results show EVENT`, then `edge results decide EVENT`")


@app.command()
def show(event: EVENT, as_json: JSON = False) -> None:
    """Show everything that sources and people have said of a game, and what holds."""
    from dataclasses import asdict

    from edge_assets.store.decisions import words

    with _database() as conn:
        about, standing, said = _game(conn, event), _standing(conn, event), words(conn, event)
    if as_json:
        said_facts, holds = ([_facts(asdict(row)) for row in rows] for rows in (said, standing))
        echo_json(_facts(about) | {"said": said_facts, "holds": holds})
        return
    out.print(f"{as_cell(_teams(about))}, {about['sport']}, {about['commence_at']:%Y-%m-%d %H:%M}")
    heard = [
        (f"{w.observed_at:%Y-%m-%d %H:%M}", w.source, w.period, _score(w), _author(w.decided_by, w.reason))
        for w in said
    ]
    print_rows(("heard", "source", "period", "result", ""), heard)
    out.print()
    held = [
        (r.period, _score(r), r.source, "contradicted: settles nothing" if r.contradicted else "") for r in standing
    ]
    print_rows(("holds for", "result", "source", ""), held)


@app.command()
def decide(
    event: EVENT,
    reason: Annotated[str, typer.Option(help="Why: what you have looked at.")],
    score: Annotated[str | None, typer.Option(help="The score, home first: 2-1.")] = None,
    source: Annotated[str | None, typer.Option(help="Take the last word of this source: espn.")] = None,
    not_played: Annotated[
        bool, typer.Option("--not-played", "--void", help="It was not played: bets are void.")
    ] = False,
    period: Annotated[list[str] | None, typer.Option(help=PERIOD_HELP)] = None,
    by: Annotated[str | None, typer.Option(help="Who decides; the user of this machine.")] = None,
    as_json: JSON = False,
) -> None:
    """Decide what the result of a game is; it holds from now on, until you decide again.

    The sources' words stay as they are, and so does what was known before. The next build of the warehouse settles by
    it.
    """
    from edge_assets.clock import WallClock
    from edge_assets.local.errors import LocalError
    from edge_assets.store.decisions import decide as append
    from edge_assets.texts import UnusableTextError, clean_text

    try:
        why, who = clean_text(reason), clean_text(by or getpass.getuser())
    except UnusableTextError as error:
        msg = f"--reason or --by: {error}"
        raise LocalError(msg, "say in a sentence why, and who says so") from None
    with _database() as conn:
        _game(conn, event)
        decided = _decided(conn, event, score, source, period or [], not_played=not_played)
        append(conn, event, decided, at=WallClock().now(), by=who, reason=why, source=source)
    show(event, as_json=as_json)


def _decided(
    conn: Connection, event: int, score: str | None, source: str | None, periods: Sequence[str], *, not_played: bool
) -> list[DecidedScore]:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.decisions import DecidedScore
    from ml.settlement import GameStatus, ScorePeriod

    if [score is not None, source is not None, not_played].count(True) != 1:
        raise LocalError("there is not one decision", "say one of --score 2-1, --source espn and --not-played")
    if source is not None:
        return _taken(conn, event, source, periods)
    if not_played:
        return [DecidedScore(ScorePeriod(p), GameStatus.NOT_PLAYED, None) for p in _known(periods) or PERIODS]
    stated = _read_score(str(score))
    return [DecidedScore(p, GameStatus.FINAL, stated) for p in _meant(conn, event, periods)]


def _taken(conn: Connection, event: int, source: str, periods: Sequence[str]) -> list[DecidedScore]:
    """The last words of a source, on all periods that it states or on some."""
    from edge_assets.local.errors import LocalError
    from edge_assets.store.decisions import DecidedScore, newest_words
    from ml.settlement import GameStatus, Score, ScorePeriod

    wanted = _known(periods) or PERIODS
    found = [
        DecidedScore(ScorePeriod(p), GameStatus(status), None if home is None or away is None else Score(home, away))
        for p, status, home, away in newest_words(conn, event, source)
        if p in wanted
    ]
    if not found:
        msg = f"{source} has said nothing of the {' or '.join(wanted)} score of this game"
        raise LocalError(msg, f"`edge results show {event}` tells who has; --score states the result itself")
    return found


def _meant(conn: Connection, event: int, periods: Sequence[str]) -> list[ScorePeriod]:
    """The periods that a stated score is for: those named, or the only one in question."""
    from edge_assets.local.errors import LocalError
    from ml.settlement import ScorePeriod

    standing = _standing(conn, event)
    in_question = [row.period for row in standing if row.contradicted] or [row.period for row in standing]
    meant = _known(periods) or [period for period in in_question if period in PERIODS]
    if not periods and (len(meant) != 1 or "unstated" in in_question):
        msg = "it is not clear which score that is: a game may go into overtime"
        raise LocalError(msg, "add --period regulation or --period full, or both if there was no overtime")
    return [ScorePeriod(period) for period in meant]


def _known(periods: Sequence[str]) -> list[str]:
    from edge_assets.local.errors import LocalError

    for period in periods:
        if period not in PERIODS:
            msg = f"{period!r} is no period of which a score is decided"
            raise LocalError(msg, f"--period {' or --period '.join(PERIODS)}")
    return list(dict.fromkeys(periods))


def _read_score(text: str) -> Any:
    from edge_assets.local.errors import LocalError
    from ml.settlement import Score

    found = SCORE.fullmatch(text.strip())
    if found is None:
        msg = f"{text!r} is no score"
        raise LocalError(msg, "--score 2-1, the home side's first")
    return Score(int(found[1]), int(found[2]))


@contextmanager
def _database() -> Iterator[Connection]:
    from edge_assets.store.database import connect

    with closing(connect(database_url(), "edge results")) as conn:
        yield conn


def _game(conn: Connection, event: int) -> Mapping[str, Any]:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.decisions import game

    found = game(conn, event)
    if found is None:
        msg = f"there is no event {event}"
        raise LocalError(msg, "`edge results list` shows their numbers")
    return found


def _standing(conn: Connection, event: int) -> list[EventResult]:
    from datetime import UTC, datetime

    from edge_assets.store.results import results_at

    return results_at(conn, [event], datetime.max.replace(tzinfo=UTC))


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in row.items()}


def _listed(row: Mapping[str, Any]) -> tuple[str, ...]:
    result = _result(row["status"], row["home_score"], row["away_score"])
    start, doubt = f"{row['commence_at']:%Y-%m-%d}", "contradicted" if row["contradicted"] else ""
    return str(row["event_id"]), start, _teams(row), row["period"], result, row["source"], doubt


def _teams(row: Mapping[str, Any]) -> str:
    return f"{row['home_team']} - {row['away_team']}"


def _score(row: Any) -> str:
    return _result(row.status, row.home_score, row.away_score)


def _result(status: str, home: int | None, away: int | None) -> str:
    score = "" if home is None else f" {home}-{away}"
    return f"{status.replace('_', ' ')}{score}"


def _author(by: str | None, reason: str | None) -> str:
    return f"{by}: {reason}" if by else ""
