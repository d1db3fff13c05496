"""Match files of football-data.co.uk: results, and prices of many books before the match and at its close.

Times are assumed as `football_times` says, columns are known by `football_columns`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.feeds.history.batch import HistoryBatch, HistoryEvent, Reading, Refusal, Refusals, TimedQuotes
from edge_assets.feeds.history.football_columns import BOOK_NAMES, price_columns, unknown_columns
from edge_assets.feeds.history.football_times import MatchTimes, match_times
from edge_assets.feeds.history.prices import from_decimal
from edge_assets.feeds.history.tables import read_table
from ml.quotes import UNKNOWN_TIME, QuoteBatch
from ml.settlement import GameReport, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_assets.feeds.history.football_columns import PriceColumn
    from edge_assets.feeds.history.tables import Table

    Floats = NDArray[np.float64]

SOURCE = "football-data"
SPORTS = {
    "E0": "soccer_epl",
    "E1": "soccer_efl_champ",
    "E2": "soccer_england_league1",
    "E3": "soccer_england_league2",
    "EC": "soccer_england_national_league",
    "SC0": "soccer_spl",
    "SC1": "soccer_scotland_championship",
    "SC2": "soccer_scotland_league1",
    "SC3": "soccer_scotland_league2",
    "D1": "soccer_germany_bundesliga",
    "D2": "soccer_germany_bundesliga2",
    "I1": "soccer_italy_serie_a",
    "I2": "soccer_italy_serie_b",
    "SP1": "soccer_spain_la_liga",
    "SP2": "soccer_spain_segunda_division",
    "F1": "soccer_france_ligue_one",
    "F2": "soccer_france_ligue_two",
    "N1": "soccer_netherlands_eredivisie",
    "B1": "soccer_belgium_first_div",
    "P1": "soccer_portugal_primeira_liga",
    "T1": "soccer_turkey_super_league",
    "G1": "soccer_greece_super_league",
}
"""Our sport by division: The Odds API's key, or one in its style where it has none."""
REQUIRED = ("Div", "Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "FTR")
MATCH_LASTS = 2 * 3_600 * 1_000_000
"""Microseconds from the kick-off until the result is known for sure."""


class _Match(NamedTuple):
    row: int
    event: HistoryEvent
    times: MatchTimes


class _RefusedError(ValueError):
    """Why a row is not used: reason, field and what is there."""


def read(file: str, content: bytes) -> Reading:
    """The matches of a file by division.

    Raises:
        RefusedFileError: it is no such file.
    """
    refused = Refusals()
    table = read_table(file, content, REQUIRED, refused)
    matches: dict[str, dict[str, _Match]] = defaultdict(dict)
    for row, texts in enumerate(zip(*map(table.texts, (*REQUIRED, "Time")), strict=True)):
        try:
            division, match = _match(row, *texts)
            if match.event.key in matches[division]:
                raise _RefusedError("match_twice", "HomeTeam", match.event.key)
        except _RefusedError as refusal:
            table.refuse_row(row, *refusal.args)
        else:
            matches[division][match.event.key] = match
    _count_unknown(table)
    return Reading([_batch(d, table, [*found.values()]) for d, found in matches.items() if found], refused)


def _match(
    row: int, division: str, day: str, home: str, away: str, goals: str, conceded: str, outcome: str, clock: str
) -> tuple[str, _Match]:
    if division not in SPORTS:
        raise _RefusedError("division_unknown", "Div", repr(division))
    if not home or not away or home == away:
        raise _RefusedError("teams_missing", "HomeTeam", f"{home!r} against {away!r}")
    try:
        times = match_times(day, clock)
    except ValueError as error:
        raise _RefusedError("time_malformed", "Date", str(error)) from error
    report = _report(goals, conceded, outcome)
    key = f"{division}:{day}:{home}:{away}"
    event = HistoryEvent(key, home, away, times.start, times.start_assumed, None, report, times.start + MATCH_LASTS)
    return division, _Match(row, event, times)


def _report(home: str, away: str, outcome: str) -> GameReport | None:
    """The result; None if there is none yet. Score and outcome that do not agree tell of shifted columns."""
    if not home and not away and not outcome:
        return None
    try:
        score = Score(int(float(home)), int(float(away)))
    except ValueError as error:
        raise _RefusedError("score_malformed", "FTHG", f"{home!r}:{away!r}") from error
    if outcome != "DHA"[(score.home > score.away) - (score.home < score.away)]:
        raise _RefusedError("result_contradicts_score", "FTR", f"{outcome!r} after {home}:{away}")
    return GameReport.final(score, score)


def _batch(division: str, table: Table, matches: list[_Match]) -> HistoryBatch:
    columns = price_columns(table.header)
    quotes, aggregates = (
        _quotes([c for c in columns if c.aggregate is aggregate], table, matches) for aggregate in (False, True)
    )
    return HistoryBatch(
        feed=SOURCE,
        names=SOURCE,
        sport=SPORTS[division],
        events=[match.event for match in matches],
        books=BOOK_NAMES,
        quotes=quotes,
        aggregates=aggregates,
        rows=len(matches),
        time_assumed=True,
    )


def _quotes(columns: list[PriceColumn], table: Table, matches: list[_Match]) -> TimedQuotes:
    if not columns:
        return TimedQuotes.empty()
    rows = np.array([match.row for match in matches])
    prices, points = _prices(table, columns), _points(table, columns)
    lost = ~np.isnan(prices) & np.isnan(points) & np.array([c.line is not None for c in columns])
    table.refuse("handicap_missing", [c.name for c in columns], lost, "a handicap needs a line")
    prices, points = np.where(lost, np.nan, prices)[rows], points[rows]
    index, at = np.nonzero(~np.isnan(prices))
    seen = np.array([match.times[1:3] for match in matches], np.int64)
    quotes = QuoteBatch(
        event=index.astype(np.int32),
        book=np.array([c.seller for c in columns], np.int16)[at],
        market=np.array([c.market for c in columns], np.int16)[at],
        outcome=np.array([c.outcome for c in columns], np.int32)[at],
        point=points[index, at],
        price=prices[index, at],
        book_time=np.full(len(index), UNKNOWN_TIME),
    )
    return TimedQuotes(quotes, seen[index, np.array([c.closing for c in columns], np.intp)[at]])


def _prices(table: Table, columns: list[PriceColumn]) -> Floats:
    """The prices (n, k), NaN where there is none or none to bet at."""
    names = [c.name for c in columns]
    usable, refused = from_decimal(table.numbers(names))
    for reason, where in refused.items():
        table.refuse(reason, names, where, "nobody can bet at it")
    return usable


def _points(table: Table, columns: list[PriceColumn]) -> NDArray[np.float32]:
    """The points (n, k): each outcome's own handicap, the goals of a total, NaN where the market has none."""
    points = np.tile(np.array([c.point for c in columns], np.float32), (len(table), 1))
    lined = [i for i, c in enumerate(columns) if c.line]
    lines = sorted({columns[i].line or "" for i in lined})
    stated = table.numbers(lines)
    signs = np.array([columns[i].sign for i in lined])
    points[:, lined] = stated[:, [lines.index(columns[i].line or "") for i in lined]] * signs + 0.0
    return points


def _count_unknown(table: Table) -> None:
    """Columns that mean nothing here are left out, and it is said which."""
    for name in unknown_columns(table.header):
        if filled := table.filled(name):
            remedy = "if it holds a book's prices, name the book in football_columns.BOOKS"
            unknown = Refusal(table.file, "column_unknown", f"{filled} fields", remedy, row=1, field=name)
            table.refused.add(unknown, filled)
