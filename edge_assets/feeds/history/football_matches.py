"""The matches of a file of football-data.co.uk, by sport; a row that cannot be one is refused."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.history.batch import HistoryEvent
from edge_assets.feeds.history.football_times import are_month_first, key_day, match_times
from edge_assets.feeds.history.notation import as_number
from edge_assets.feeds.history.reports import NoResultError, score_of
from edge_assets.texts import is_one_name
from ml.settlement import GameReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_assets.feeds.history.football_layouts import Layout
    from edge_assets.feeds.history.football_times import MatchTimes
    from edge_assets.feeds.history.tables import Table
    from ml.settlement import Score

MATCH_LASTS = 2 * 3_600 * 1_000_000
"""Microseconds from the kick-off until the result is known for sure."""
MOST_GOALS = 50
"""Of one team; 36 is the record of a match of a cup."""
NOTHING = frozenset({"", "-"})


class Match(NamedTuple):
    """A match with its row in the table."""

    row: int
    event: HistoryEvent
    times: MatchTimes


class _Fields(NamedTuple):
    """The texts of a row."""

    league: str
    day: str
    home: str
    away: str
    home_goals: str
    away_goals: str
    outcome: str
    clock: str


class _RefusedError(ValueError):
    """Why a row is not used: reason, field and what is there."""


def matches_of(table: Table, layout: Layout) -> Mapping[str, list[Match]]:
    """The matches by sport, in the order of the file; one twice if it has two results, which then contradict."""
    found: dict[str, list[Match]] = defaultdict(list)
    known: dict[str, set[GameReport | None]] = defaultdict(set)
    month_first = are_month_first(table.coded("Date")[1])
    columns = map(table.texts, (*layout.match, *layout.result, "Time"))
    for row, fields in enumerate(map(_Fields._make, zip(*columns, strict=True))):
        try:
            match = _match(table, row, fields, layout, month_first=month_first)
            told = known[match.event.key]
            if told and {match.event.report} <= told | {None}:
                raise _RefusedError("match_twice", layout.home, match.event.key)
        except _RefusedError as refusal:
            table.refuse_at(row, *refusal.args)
        else:
            told.add(match.event.report)
            found[layout.sports[fields.league]].append(match)
    return found


def _match(table: Table, row: int, fields: _Fields, layout: Layout, *, month_first: bool) -> Match:
    if fields.league not in layout.sports:
        raise _RefusedError("division_unknown", layout.league, repr(fields.league))
    if not fields.home or not fields.away:
        raise _RefusedError("teams_missing", layout.home, f"{fields.home!r} against {fields.away!r}")
    if is_one_name(fields.home, fields.away):
        raise _RefusedError("same_team_twice", layout.home, f"{fields.home!r} against {fields.away!r}")
    if month_first:
        detail = f"{fields.day!r} in a file of which dates make sense with the month first only"
        raise _RefusedError("date_month_first", "Date", detail)
    times = _times(table, row, fields)
    report = _report(table, row, fields, layout)
    key = f"{fields.league}:{key_day(fields.day)}:{fields.home}:{fields.away}"
    event = HistoryEvent(
        key, fields.home, fields.away, times.start, times.start_assumed, None, report, times.start + MATCH_LASTS
    )
    return Match(row, event, times)


def _times(table: Table, row: int, fields: _Fields) -> MatchTimes:
    """The times; a kick-off that is none is counted, and assumed as where none is stated."""
    try:
        return match_times(fields.day, fields.clock)
    except ValueError:
        pass
    try:
        times = match_times(fields.day, "")
    except ValueError as error:
        raise _RefusedError("time_malformed", "Date", str(error)) from error
    table.refuse_at(row, "kick_off_unknown", "Time", f"{fields.clock!r}: the usual time is assumed")
    return times


def _report(table: Table, row: int, fields: _Fields, layout: Layout) -> GameReport | None:
    """The result; None if there is none yet. Score and outcome that do not agree tell of shifted columns."""
    goals = fields.home_goals, fields.away_goals
    if NOTHING.issuperset(goals):
        if fields.outcome not in NOTHING:
            table.refuse_at(row, "result_unknown", layout.outcome, f"{fields.outcome!r} without a score")
        return None
    try:
        score = _score(*goals)
    except NoResultError as error:
        raise _RefusedError(str(error), layout.home_goals, "{!r}:{!r}".format(*goals)) from error
    if fields.outcome != "DHA"[(score.home > score.away) - (score.home < score.away)]:
        detail = f"{fields.outcome!r} after {':'.join(goals)}"
        raise _RefusedError("result_contradicts_score", layout.outcome, detail)
    return GameReport.final(score, score)


@lru_cache(maxsize=4_096)
def _score(home: str, away: str) -> Score:
    return score_of(as_number(home), as_number(away), MOST_GOALS)
