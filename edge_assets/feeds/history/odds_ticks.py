"""Run-length segments: how long each price of each book stood, with every moment at which somebody looked.

Four files belong together, CSV, perhaps packed (`.xz`, `.gz`), named `{league}_segments.csv` and so on:

- `segments`: event_id, bookmaker, market, outcome, point, price (American), first_seen_utc, last_seen_utc, n_obs,
  book_last_update (of the first sight)
- `events`: event_id, commence_first, commence_last, home_team, away_team, first_seen_utc, last_seen_utc
- `snapshots`: snapshot_utc, every look whether something changed or not
- `results` (optional): event_id, home, away, home_score, away_score, outcome

A segment is a tick at its first sight and, unless the selection's next one follows at the next look, a withdrawal at
the look after its last. A start that moved is known by the event's last sight, one that was brought forward by then.
Ids are The Odds API's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.feeds.history.batch import (
    BookName,
    HistoryBatch,
    HistoryEvent,
    Reading,
    Refusal,
    Refusals,
    RefusedFileError,
    TimedQuotes,
)
from edge_assets.feeds.history.prices import from_american, from_points, judged
from edge_assets.feeds.history.reports import NoResultError, reported
from edge_assets.feeds.history.tables import read_table
from edge_assets.texts import is_one_name
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_assets.feeds.history.sources import Part
    from edge_assets.feeds.history.tables import Table
    from ml.settlement import GameReport

    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

SOURCE = "odds-ticks"
MAIN, OTHERS = "segments.csv", ("events.csv", "snapshots.csv", "results.csv")
LEAGUES = {
    "mlb": "baseball_mlb",
    "nba": "basketball_nba",
    "ncaaf": "americanfootball_ncaaf",
    "nfl": "americanfootball_nfl",
    "nhl": "icehockey_nhl",
}
SEEN = ("first_seen_utc", "last_seen_utc")
STARTS = ("commence_first", "commence_last")
TEAMS = ("event_id", "home_team", "away_team")
SEGMENT = ("event_id", "bookmaker", "market", "outcome", "book_last_update", *SEEN)
EVENT = ("event_id", "home_team", "away_team", *STARTS, *SEEN)
LOOK = ("snapshot_utc",)
RESULT = ("event_id", "home", "away", "home_score", "away_score", "outcome")
MARKETS = {"h2h": Market.H2H, "spreads": Market.SPREADS, "totals": Market.TOTALS}
LINED = (Market.SPREADS, Market.TOTALS)
NEUTRAL = {"Over": Outcome.OVER, "Under": Outcome.UNDER, "Draw": Outcome.DRAW}
GAME_LASTS = 4 * 3_600 * 1_000_000
"""Microseconds from the start until the result is known for sure."""


def read(part: Part) -> Reading:
    """The quotes of a season.

    Raises:
        RefusedFileError: files are missing, damaged or of another format.
    """
    refused = Refusals()
    league = part.files[0].name.partition("_")[0]
    if league not in LEAGUES:
        remedy = f"name the files after the league: {', '.join(LEAGUES)}"
        raise RefusedFileError(Refusal(part.name, "league_unknown", repr(league), remedy))
    segments = _table(part, "segments.csv", SEGMENT, refused).named(["bookmaker"]).dated(SEEN)
    events = _playable(_table(part, "events.csv", EVENT, refused).named(TEAMS).dated((*STARTS, *SEEN)))
    looks = np.unique(_table(part, "snapshots.csv", LOOK, refused).dated(LOOK).times(*LOOK))
    _, books = segments.coded("bookmaker")
    batch = HistoryBatch(
        feed=SOURCE,
        names="odds-api",
        sport=LEAGUES[league],
        events=_events(events, _reports(part, events, refused)),
        books=[BookName(book, book) for book in books],
        quotes=_quotes(segments, events, looks),
        rows=len(segments),
        looks=looks,
        listed=_listed(events, looks),
    )
    return Reading([batch], refused)


def _table(part: Part, ending: str, columns: Sequence[str], refused: Refusals) -> Table:
    content = part.content(ending)
    if content is None:
        remedy = "put it beside the others"
        raise RefusedFileError(Refusal(part.name, "file_missing", f"*_{ending}", remedy))
    return read_table(f"{part.name}/{ending}", content, columns, refused)


def _playable(events: Table) -> Table:
    """The events of two teams, each once."""
    home, away = map(events.texts, TEAMS[1:])
    alone = np.array([not a or not b for a, b in zip(home, away, strict=True)], bool)
    events.refuse("teams_missing", ["home_team"], alone[:, None], "two teams are needed")
    same = np.array([is_one_name(a, b) for a, b in zip(home, away, strict=True)], bool) & ~alone
    events.refuse("same_team_twice", ["home_team"], same[:, None], "two teams are needed")
    return events.where(~alone & ~same).unique("event_id")


def _events(table: Table, reports: Mapping[str, GameReport]) -> list[HistoryEvent]:
    first, last, seen = (table.times(name).tolist() for name in (*STARTS, "last_seen_utc"))
    events = []
    for key, home, away, start, later, last_seen in zip(*map(table.texts, TEAMS), first, last, seen, strict=True):
        moved = (later, min(later, last_seen)) if later != start else None  # a game that has begun is known to have
        events.append(HistoryEvent(key, home, away, start, False, moved, reports.get(key), later + GAME_LASTS))
    return events


def _reports(part: Part, events: Table, refused: Refusals) -> dict[str, GameReport]:
    """Reports by event, home and away as the event has them: by name, never by position."""
    content = part.content("results.csv")
    if content is None:
        return {}
    table = read_table(f"{part.name}/results.csv", content, RESULT, refused).named(["event_id"]).unique("event_id")
    teams = {key: sides for key, *sides in zip(*map(events.texts, TEAMS), strict=True)}
    scores = table.numbers(["home_score", "away_score"]).tolist()
    found = {}
    for row, (key, home, outcome) in enumerate(zip(*map(table.texts, ("event_id", "home", "outcome")), strict=True)):
        try:
            report = reported(outcome, *scores[row])
        except NoResultError as reason:
            table.refuse_at(row, str(reason), "outcome", repr(outcome))
            continue
        if key in teams and home not in teams[key]:
            table.refuse_at(row, "team_unknown", "home", f"{home!r} is none of {teams[key]}")
        elif key in teams:
            found[key] = report if home == teams[key][0] else report.turned()
    return found


def _quotes(table: Table, events: Table, looks: Ints) -> TimedQuotes:
    event = table.mapped("event_id", {key: row for row, key in enumerate(events.texts("event_id"))}, -1)
    market = table.mapped("market", MARKETS, 0)
    outcome = _outcomes(table, events, event)
    prices, reasons = from_american(table.numbers(["price"])[:, 0])
    points = judged(table, ["point"], from_points)[:, 0]
    seen = [table.times(name) for name in SEEN]
    first, last = (np.searchsorted(looks, times) for times in seen)
    problems: dict[str, tuple[str, Mask]] = {
        "event_unknown": ("event_id", event < 0),
        "market_unknown": ("market", market == 0),
        "unknown_outcome": ("outcome", outcome == 0),
        "look_unknown": (SEEN[0], (last >= len(looks)) | (np.append(looks, UNKNOWN_TIME)[first] != seen[0])),
        "times_reversed": (SEEN[1], seen[1] < seen[0]),
        "handicap_missing": ("point", np.isnan(points) & np.isin(market, LINED)),
        **{reason: ("price", where) for reason, where in reasons.items()},
    }
    good = _kept(table, problems) & ~np.isnan(prices)
    book, _ = table.coded("bookmaker")
    quotes = QuoteBatch(
        event=event.astype(np.int32),
        book=book.astype(np.int16),
        market=_split_by_draw(event, book, market, outcome),
        outcome=outcome,
        point=points.astype(np.float32),
        price=prices,
        book_time=_book_times(table, seen[0]),
    )
    return _ticks(quotes.take(good), first[good], last[good], looks)


def _book_times(table: Table, seen: Ints) -> Ints:
    """When books last confirmed their prices (n,): after they were `seen` (n,) none can have."""
    stated = table.times("book_last_update")
    table.refuse("book_time_ahead", ["book_last_update"], (stated > seen)[:, None], "taken as the time it was seen at")
    return np.minimum(stated, seen)


def _kept(table: Table, problems: dict[str, tuple[str, Mask]]) -> Mask:
    """The rows without a problem; a row is refused for its first one."""
    good = np.ones(len(table), bool)
    for reason, (name, where) in problems.items():
        table.refuse(reason, [name], (where & good)[:, None], "not usable")
        good &= ~where
    return good


def _outcomes(table: Table, events: Table, event: Ints) -> NDArray[np.int32]:
    """Outcomes by name, never by their order; 0 for what the event does not have."""
    code, names = table.coded("outcome")
    outcome = np.array([NEUTRAL.get(name, 0) for name in names], np.int32)[code]
    for side, column in ((Outcome.HOME, "home_team"), (Outcome.AWAY, "away_team")):
        team = events.mapped(column, {name: number for number, name in enumerate(names)}, -1)
        outcome[code == np.append(team, -1)[event]] = side
    return outcome


def _split_by_draw(event: Ints, book: Ints, market: Ints, outcome: NDArray[np.int32]) -> NDArray[np.int16]:
    """A book that has a draw in an event's `h2h` sells another market than one that has none."""
    pair = event * (book.max(initial=0) + 1) + book
    with_draw = np.isin(pair, np.unique(pair[outcome == Outcome.DRAW]))
    return np.where(with_draw & (market == Market.H2H), Market.H2H_3_WAY, market).astype(np.int16)


def _ticks(segments: QuoteBatch, first: Ints, last: Ints, looks: Ints) -> TimedQuotes:
    """Changes, and withdrawals where a selection's segments leave a gap; `first` and `last` (n,) index `looks` (k,)."""
    selection = (segments.point.view(np.int32), segments.outcome, segments.market, segments.book, segments.event)
    order = np.lexsort((first, *selection))
    rows, first, last = segments.take(order), first[order], last[order]
    same = np.all([column[order][1:] == column[order][:-1] for column in selection], axis=0)
    goes_on = np.append(same, False)[: len(order)]  # the next segment is of the same selection
    ended = last + 1
    stood = np.roll(goes_on, 1) & (rows.price == np.roll(rows.price, 1)) & (np.roll(ended, 1) >= first)
    gone = (ended < len(looks)) & ~(goes_on & (np.roll(first, -1) <= ended))
    ticks, withdrawn = rows.take(~stood), rows.take(gone)
    nothing = np.full(len(withdrawn), np.nan), np.full(len(withdrawn), UNKNOWN_TIME)
    columns = zip(ticks.columns(), (*withdrawn.columns()[:-2], *nothing), strict=True)
    return TimedQuotes(QuoteBatch(*map(np.concatenate, columns)), looks[np.append(first[~stood], ended[gone])])


def _listed(events: Table, looks: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, last = map(events.times, SEEN)
    on = (looks[:, None] >= first) & (looks[:, None] <= last)
    look, event = np.nonzero(on)
    return look, event
