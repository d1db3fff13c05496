"""Run-length segments: how long each price of each book was on offer, with the times of all polls.

Four CSV files belong together, optionally compressed (`.xz`, `.gz`), named `{league}_segments.csv` and so on:

- `segments`: event_id, bookmaker, market, outcome, point, price (American), first_seen_utc, last_seen_utc, n_obs,
  book_last_update (when first seen)
- `events`: event_id, commence_first, commence_last, home_team, away_team, first_seen_utc, last_seen_utc
- `snapshots`: snapshot_utc, every poll with or without changes
- `results` (optional): event_id, home, away, home_score, away_score, outcome

A segment is a tick when first seen and, unless the selection's next segment starts at the next poll, a withdrawal at
the poll after its last. A moved start is known from when the event was last seen, one that was brought forward from
the new start. Ids are The Odds API's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.texts import is_same_name
from edge_assets.importers.formats.batch import (
    ImportedBook,
    ParsedBatch,
    ParsedEvent,
    ParseResult,
    RejectedFileError,
    Rejection,
    Rejections,
    TimedQuotes,
)
from edge_assets.importers.formats.prices import american_to_decimal, check_points, read_validated
from edge_assets.importers.formats.score_reports import NoResultError, parse_report
from edge_assets.importers.formats.tables import read_table
from edge_assets.reference.sources import Source
from edge_assets.reference.sports import SPORT_ALIASES
from ml.quotes import MICROS_PER_HOUR, UNKNOWN_TIME, Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_assets.importers.formats.source_units import ImportUnit
    from edge_assets.importers.formats.tables import CsvTable
    from ml.settlement import GameReport

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SOURCE = Source.ODDS_TICKS
MAIN_FILE, OTHER_FILES = "segments.csv", ("events.csv", "snapshots.csv", "results.csv")
SPORTS_BY_LEAGUE = {league: SPORT_ALIASES[league] for league in ("mlb", "nba", "ncaaf", "nfl", "nhl")}
SEEN_COLUMNS = ("first_seen_utc", "last_seen_utc")
START_COLUMNS = ("commence_first", "commence_last")
TEAM_COLUMNS = ("event_id", "home_team", "away_team")
SEGMENT_COLUMNS = ("event_id", "bookmaker", "market", "outcome", "book_last_update", *SEEN_COLUMNS)
EVENT_COLUMNS = ("event_id", "home_team", "away_team", *START_COLUMNS, *SEEN_COLUMNS)
POLL_COLUMNS = ("snapshot_utc",)
RESULT_COLUMNS = ("event_id", "home", "away", "home_score", "away_score", "outcome")
MARKETS_BY_KEY = {"h2h": Market.H2H, "spreads": Market.SPREADS, "totals": Market.TOTALS}
MARKETS_WITH_POINT = (Market.SPREADS, Market.TOTALS)
OUTCOMES_BY_NAME = {"Over": Outcome.OVER, "Under": Outcome.UNDER, "Draw": Outcome.DRAW}
GAME_DURATION_MICROS = 4 * MICROS_PER_HOUR
"""From the start until the result is known for certain."""


def read(unit: ImportUnit) -> ParseResult:
    """Read the quotes of a season.

    Raises:
        RejectedFileError: files are missing, damaged or of another format.
    """
    rejections = Rejections()
    league = unit.files[0].name.partition("_")[0]
    if league not in SPORTS_BY_LEAGUE:
        remedy = f"name the files after the league: {', '.join(SPORTS_BY_LEAGUE)}"
        raise RejectedFileError(Rejection(unit.name, "league_unknown", repr(league), remedy))
    segments = (
        _read_unit_table(unit, "segments.csv", SEGMENT_COLUMNS, rejections)
        .require_names(["bookmaker"])
        .require_times(SEEN_COLUMNS)
    )
    events = _drop_unplayable(
        _read_unit_table(unit, "events.csv", EVENT_COLUMNS, rejections)
        .require_names(TEAM_COLUMNS)
        .require_times((*START_COLUMNS, *SEEN_COLUMNS))
    )
    poll_times = np.unique(
        _read_unit_table(unit, "snapshots.csv", POLL_COLUMNS, rejections)
        .require_times(POLL_COLUMNS)
        .parse_times(*POLL_COLUMNS)
    )
    _, books = segments.encode("bookmaker")
    batch = ParsedBatch(
        feed=SOURCE,
        key_source=Source.ODDS_API,
        sport=SPORTS_BY_LEAGUE[league],
        events=_build_events(events, _read_reports(unit, events, rejections)),
        books=[ImportedBook(book, book) for book in books],
        quotes=_build_quotes(segments, events, poll_times),
        rows=len(segments),
        poll_times=poll_times,
        listed=_listed_events(events, poll_times),
    )
    return ParseResult([batch], rejections)


def _read_unit_table(unit: ImportUnit, ending: str, columns: Sequence[str], rejections: Rejections) -> CsvTable:
    content = unit.read_content(ending)
    if content is None:
        remedy = "put it next to the other files"
        raise RejectedFileError(Rejection(unit.name, "file_missing", f"*_{ending}", remedy))
    return read_table(f"{unit.name}/{ending}", content, columns, rejections)


def _drop_unplayable(events: CsvTable) -> CsvTable:
    """The distinct events with two different teams."""
    home, away = map(events.texts, TEAM_COLUMNS[1:])
    without_opponent = np.array([not a or not b for a, b in zip(home, away, strict=True)], bool)
    events.reject("teams_missing", ["home_team"], without_opponent[:, None], "two teams are needed")
    same = np.array([is_same_name(a, b) for a, b in zip(home, away, strict=True)], bool) & ~without_opponent
    events.reject("same_team_twice", ["home_team"], same[:, None], "two teams are needed")
    return events.filter_rows(~without_opponent & ~same).drop_duplicates("event_id")


def _build_events(table: CsvTable, reports: Mapping[str, GameReport]) -> list[ParsedEvent]:
    first, last, seen = (table.parse_times(name).tolist() for name in (*START_COLUMNS, "last_seen_utc"))
    events = []
    for key, home, away, start, later, last_seen in zip(
        *map(table.texts, TEAM_COLUMNS), first, last, seen, strict=True
    ):
        moved = (later, min(later, last_seen)) if later != start else None  # a game that has started is known to have
        events.append(ParsedEvent(key, home, away, start, False, moved, reports.get(key), later + GAME_DURATION_MICROS))
    return events


def _read_reports(unit: ImportUnit, events: CsvTable, rejections: Rejections) -> dict[str, GameReport]:
    """Reports by event, with sides assigned by team name, never by position."""
    content = unit.read_content("results.csv")
    if content is None:
        return {}
    table = (
        read_table(f"{unit.name}/results.csv", content, RESULT_COLUMNS, rejections)
        .require_names(["event_id"])
        .drop_duplicates("event_id")
    )
    teams = {key: sides for key, *sides in zip(*map(events.texts, TEAM_COLUMNS), strict=True)}
    scores = table.parse_numbers(["home_score", "away_score"]).tolist()
    found = {}
    for row, (key, home, outcome) in enumerate(zip(*map(table.texts, ("event_id", "home", "outcome")), strict=True)):
        try:
            report = parse_report(outcome, *scores[row])
        except NoResultError as reason:
            table.reject_at(row, str(reason), "outcome", repr(outcome))
            continue
        if key in teams and home not in teams[key]:
            table.reject_at(row, "team_unknown", "home", f"{home!r} is not one of {teams[key]}")
        elif key in teams:
            found[key] = report if home == teams[key][0] else report.swap_sides()
    return found


def _build_quotes(table: CsvTable, events: CsvTable, poll_times: Ints) -> TimedQuotes:
    event = table.map_values("event_id", {key: row for row, key in enumerate(events.texts("event_id"))}, -1)
    market = table.map_values("market", MARKETS_BY_KEY, 0)
    outcome = _map_outcomes(table, events, event)
    prices, reasons = american_to_decimal(table.parse_numbers(["price"])[:, 0])
    points = read_validated(table, ["point"], check_points)[:, 0]
    seen = [table.parse_times(name) for name in SEEN_COLUMNS]
    first, last = (np.searchsorted(poll_times, times) for times in seen)
    problems: dict[str, tuple[str, Mask]] = {
        "event_unknown": ("event_id", event < 0),
        "market_unknown": ("market", market == 0),
        "unknown_outcome": ("outcome", outcome == 0),
        "look_unknown": (
            SEEN_COLUMNS[0],
            (last >= len(poll_times)) | (np.append(poll_times, UNKNOWN_TIME)[first] != seen[0]),
        ),
        "times_reversed": (SEEN_COLUMNS[1], seen[1] < seen[0]),
        "handicap_missing": ("point", np.isnan(points) & np.isin(market, MARKETS_WITH_POINT)),
        **{reason: ("price", where) for reason, where in reasons.items()},
    }
    good = _usable_rows(table, problems) & ~np.isnan(prices)
    book, _ = table.encode("bookmaker")
    quotes = QuoteBatch(
        event=event.astype(np.int32),
        book=book.astype(np.int16),
        market=_split_by_draw(event, book, market, outcome),
        outcome=outcome,
        point=points.astype(np.float32),
        price=prices,
        book_time=_read_book_times(table, seen[0]),
    )
    return _build_ticks(quotes.take(good), first[good], last[good], poll_times)


def _read_book_times(table: CsvTable, seen: Ints) -> Ints:
    """When books last confirmed their prices (n,), capped at when they were `seen` (n,)."""
    stated = table.parse_times("book_last_update")
    table.reject("book_time_ahead", ["book_last_update"], (stated > seen)[:, None], "replaced by the time it was seen")
    return np.minimum(stated, seen)


def _usable_rows(table: CsvTable, problems: dict[str, tuple[str, Mask]]) -> Mask:
    """A mask of the rows without problems; each other row is rejected for its first one."""
    good = np.ones(len(table), bool)
    for reason, (name, where) in problems.items():
        table.reject(reason, [name], (where & good)[:, None], "not usable")
        good &= ~where
    return good


def _map_outcomes(table: CsvTable, events: CsvTable, event: Ints) -> NDArray[np.int32]:
    """Outcomes by name, never by order; 0 if the event does not have it."""
    code, names = table.encode("outcome")
    outcome = np.array([OUTCOMES_BY_NAME.get(name, 0) for name in names], np.int32)[code]
    for side, column in ((Outcome.HOME, "home_team"), (Outcome.AWAY, "away_team")):
        team = events.map_values(column, {name: number for number, name in enumerate(names)}, -1)
        outcome[code == np.append(team, -1)[event]] = side
    return outcome


def _split_by_draw(event: Ints, book: Ints, market: Ints, outcome: NDArray[np.int32]) -> NDArray[np.int16]:
    """Market ids: a book's `h2h` with a draw is a different market from one without."""
    pair = event * (book.max(initial=0) + 1) + book
    with_draw = np.isin(pair, np.unique(pair[outcome == Outcome.DRAW]))
    return np.where(with_draw & (market == Market.H2H), Market.H2H_3_WAY, market).astype(np.int16)


def _build_ticks(segments: QuoteBatch, first: Ints, last: Ints, poll_times: Ints) -> TimedQuotes:
    """Price changes, and withdrawals where a selection's segments have a gap; `first` and `last` (n,) index
    `poll_times` (k,).
    """
    selection = (segments.point.view(np.int32), segments.outcome, segments.market, segments.book, segments.event)
    order = np.lexsort((first, *selection))
    rows, first, last = segments.take(order), first[order], last[order]
    same = np.all([column[order][1:] == column[order][:-1] for column in selection], axis=0)
    has_next = np.append(same, False)[: len(order)]  # the next segment is of the same selection
    ended = last + 1
    unchanged = np.roll(has_next, 1) & (rows.price == np.roll(rows.price, 1)) & (np.roll(ended, 1) >= first)
    is_withdrawn = (ended < len(poll_times)) & ~(has_next & (np.roll(first, -1) <= ended))
    ticks, withdrawn = rows.take(~unchanged), rows.take(is_withdrawn)
    nothing = np.full(len(withdrawn), np.nan), np.full(len(withdrawn), UNKNOWN_TIME)
    columns = zip(ticks.columns(), (*withdrawn.columns()[:-2], *nothing), strict=True)
    return TimedQuotes(
        QuoteBatch(*map(np.concatenate, columns)), poll_times[np.append(first[~unchanged], ended[is_withdrawn])]
    )


def _listed_events(events: CsvTable, poll_times: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, last = map(events.parse_times, SEEN_COLUMNS)
    on = (poll_times[:, None] >= first) & (poll_times[:, None] <= last)
    poll, event = np.nonzero(on)
    return poll, event
