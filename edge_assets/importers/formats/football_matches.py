"""Parse the matches of a football-data.co.uk file by sport; invalid rows are rejected."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.texts import is_same_name
from edge_assets.importers.formats.batch import ParsedEvent
from edge_assets.importers.formats.football_times import is_month_first, normalize_day, parse_match_times
from edge_assets.importers.formats.notation import parse_number
from edge_assets.importers.formats.score_reports import NoResultError, parse_score
from ml.quotes import MICROS_PER_HOUR
from ml.settlement import GameReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_assets.importers.formats.football_layouts import FileLayout
    from edge_assets.importers.formats.football_times import MatchTimes
    from edge_assets.importers.formats.tables import CsvTable
    from ml.settlement import Score

MATCH_DURATION_MICROS = 2 * MICROS_PER_HOUR
"""From the kick-off until the result is known for certain."""
MAX_GOALS = 50
"""Of one team; the record in a cup match is 36."""
EMPTY_VALUES = frozenset({"", "-"})


class ParsedMatch(NamedTuple):
    """A match with its row in the table."""

    row: int
    event: ParsedEvent
    times: MatchTimes


class _MatchTexts(NamedTuple):
    """The texts of a row."""

    league: str
    day: str
    home: str
    away: str
    home_goals: str
    away_goals: str
    outcome: str
    clock: str


class _RejectedMatchError(ValueError):
    """A row is rejected; the arguments are reason, field and detail."""


def parse_matches(table: CsvTable, layout: FileLayout) -> Mapping[str, list[ParsedMatch]]:
    """The matches by sport, in file order; a match with two results is kept twice, as a contradiction."""
    found: dict[str, list[ParsedMatch]] = defaultdict(list)
    known: dict[str, set[GameReport | None]] = defaultdict(set)
    month_first = is_month_first(table.encode("Date")[1])
    columns = map(table.texts, (*layout.match_columns, *layout.result_columns, "Time"))
    for row, fields in enumerate(map(_MatchTexts._make, zip(*columns, strict=True))):
        try:
            match = _parse_match(table, row, fields, layout, month_first=month_first)
            reports = known[match.event.key]
            if reports and {match.event.report} <= reports | {None}:
                raise _RejectedMatchError("match_twice", layout.home, match.event.key)
        except _RejectedMatchError as error:
            table.reject_at(row, *error.args)
        else:
            reports.add(match.event.report)
            found[layout.sports[fields.league]].append(match)
    return found


def _parse_match(
    table: CsvTable, row: int, fields: _MatchTexts, layout: FileLayout, *, month_first: bool
) -> ParsedMatch:
    if fields.league not in layout.sports:
        raise _RejectedMatchError("division_unknown", layout.league, repr(fields.league))
    if not fields.home or not fields.away:
        raise _RejectedMatchError("teams_missing", layout.home, f"{fields.home!r} against {fields.away!r}")
    if is_same_name(fields.home, fields.away):
        raise _RejectedMatchError("same_team_twice", layout.home, f"{fields.home!r} against {fields.away!r}")
    if month_first:
        detail = f"{fields.day!r}: the dates of this file only make sense month first"
        raise _RejectedMatchError("date_month_first", "Date", detail)
    times = _parse_times(table, row, fields)
    report = _parse_report(table, row, fields, layout)
    key = f"{fields.league}:{normalize_day(fields.day)}:{fields.home}:{fields.away}"
    event = ParsedEvent(
        key,
        fields.home,
        fields.away,
        times.start,
        times.start_assumed,
        None,
        report,
        times.start + MATCH_DURATION_MICROS,
    )
    return ParsedMatch(row, event, times)


def _parse_times(table: CsvTable, row: int, fields: _MatchTexts) -> MatchTimes:
    """The times; an invalid kick-off is counted, and the usual one assumed as if none were stated."""
    try:
        return parse_match_times(fields.day, fields.clock)
    except ValueError:
        pass
    try:
        times = parse_match_times(fields.day, "")
    except ValueError as error:
        raise _RejectedMatchError("time_malformed", "Date", str(error)) from error
    table.reject_at(row, "kick_off_unknown", "Time", f"{fields.clock!r}: not a time; the usual kick-off is assumed")
    return times


def _parse_report(table: CsvTable, row: int, fields: _MatchTexts, layout: FileLayout) -> GameReport | None:
    """The result; None if there is none yet. Score and outcome that disagree mean shifted columns."""
    goals = fields.home_goals, fields.away_goals
    if EMPTY_VALUES.issuperset(goals):
        if fields.outcome not in EMPTY_VALUES:
            table.reject_at(row, "result_unknown", layout.outcome, f"{fields.outcome!r} without a score")
        return None
    try:
        score = _parse_score(*goals)
    except NoResultError as error:
        raise _RejectedMatchError(str(error), layout.home_goals, "{!r}:{!r}".format(*goals)) from error
    if fields.outcome != "DHA"[(score.home > score.away) - (score.home < score.away)]:
        detail = f"{fields.outcome!r} after {':'.join(goals)}"
        raise _RejectedMatchError("result_contradicts_score", layout.outcome, detail)
    return GameReport.final(score, score)


@lru_cache(maxsize=4_096)
def _parse_score(home: str, away: str) -> Score:
    return parse_score(parse_number(home), parse_number(away), MAX_GOALS)
