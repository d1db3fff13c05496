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
import pandas as pd

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
from edge_assets.feeds.history.prices import from_american
from edge_assets.feeds.history.reports import reported
from edge_assets.feeds.history.stamps import micros_of
from edge_assets.feeds.history.tables import read_table
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

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
SEGMENT = ("event_id", "bookmaker", "market", "outcome", "first_seen_utc", "last_seen_utc", "book_last_update")
EVENT = ("event_id", "commence_first", "commence_last", "home_team", "away_team", "first_seen_utc", "last_seen_utc")
RESULT = ("event_id", "home", "away", "home_score", "away_score", "outcome")
MARKETS = {"h2h": Market.H2H, "spreads": Market.SPREADS, "totals": Market.TOTALS}
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
    segments = _table(part, "segments.csv", SEGMENT, refused)
    events = _table(part, "events.csv", EVENT, refused)
    looks = np.unique(micros_of(_table(part, "snapshots.csv", ("snapshot_utc",), refused).frame["snapshot_utc"]))
    reports = _reports(_table(part, "results.csv", RESULT, refused)) if part.content("results.csv") else {}
    books = sorted(set(segments.texts("bookmaker")))
    batch = HistoryBatch(
        feed=SOURCE,
        names="odds-api",
        sport=LEAGUES[league],
        events=_events(events, reports),
        books=[BookName(book, book) for book in books],
        quotes=_quotes(segments, events, looks, books),
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


def _events(table: Table, reports: dict[str, tuple[str, GameReport]]) -> list[HistoryEvent]:
    first, last, seen = (
        micros_of(table.frame[c]).tolist() for c in ("commence_first", "commence_last", "last_seen_utc")
    )
    rows = zip(*map(table.texts, ("event_id", "home_team", "away_team")), first, last, seen, strict=True)
    events = []
    for key, home, away, start, later, last_seen in rows:
        at_home, report = reports.get(key, (home, None))
        if report is not None and at_home == away:
            report = report.turned()
        moved = (later, min(later, last_seen)) if later != start else None  # a game that has begun is known to have
        events.append(HistoryEvent(key, home, away, start, False, moved, report, later + GAME_LASTS))
    return events


def _reports(table: Table) -> dict[str, tuple[str, GameReport]]:
    """Reports by event, with the team that they take for the home team."""
    scores = table.numbers(["home_score", "away_score"])
    found = {}
    for row, (key, home, outcome) in enumerate(zip(*map(table.texts, ("event_id", "home", "outcome")), strict=True)):
        report = reported(outcome, *scores[row].tolist())
        if report is None:
            table.refuse_row(row, "result_unknown", "outcome", repr(outcome))
        else:
            found[key] = home, report
    return found


def _quotes(table: Table, events: Table, looks: Ints, books: list[str]) -> TimedQuotes:
    frame = table.frame
    event = pd.Index(events.names("event_id")).get_indexer(pd.Index(frame["event_id"]))
    market = frame["market"].map(MARKETS).fillna(0).to_numpy().astype(np.int16)
    outcome = _outcomes(frame["outcome"], events, event)
    prices, reasons = from_american(table.numbers(["price"])[:, 0])
    first, last = (np.searchsorted(looks, micros_of(frame[c])) for c in ("first_seen_utc", "last_seen_utc"))
    off = (last >= len(looks)) | (looks[np.minimum(first, len(looks) - 1)] != micros_of(frame["first_seen_utc"]))
    problems: dict[str, tuple[str, Mask]] = {
        "event_unknown": ("event_id", event < 0),
        "market_unknown": ("market", market == 0),
        "unknown_outcome": ("outcome", outcome == 0),
        "look_unknown": ("first_seen_utc", off),
        **{reason: ("price", where) for reason, where in reasons.items()},
    }
    good = _kept(table, problems) & ~np.isnan(prices)
    point = table.numbers(["point"])[:, 0].astype(np.float32) + np.float32(0)
    stated = frame["book_last_update"]
    segments = pd.DataFrame(
        {
            "event": event,
            "book": pd.Index(books).get_indexer(pd.Index(frame["bookmaker"])),
            "market": _split_by_draw(event, frame["bookmaker"], market, outcome),
            "outcome": outcome,
            "point": point,
            "price": prices,
            "book_time": np.where(stated.isna(), UNKNOWN_TIME, micros_of(stated.fillna("1970-01-01T00:00:00Z"))),
            "first": first,
            "last": last,
        }
    )
    return _ticks(segments[good], looks)


def _kept(table: Table, problems: dict[str, tuple[str, Mask]]) -> Mask:
    """The rows without a problem; a row is refused for its first one."""
    good = np.ones(len(table), bool)
    for reason, (name, where) in problems.items():
        table.refuse(reason, [name], (where & good)[:, None], "not usable")
        good &= ~where
    return good


def _outcomes(names: pd.Series[str], events: Table, event: NDArray[np.intp]) -> NDArray[np.int32]:
    """Outcomes by name, never by their order; 0 for what the event does not have."""
    outcome = names.map(NEUTRAL).fillna(0).to_numpy().astype(np.int32)
    for side, column in ((Outcome.HOME, "home_team"), (Outcome.AWAY, "away_team")):
        teams = np.array(events.texts(column), object)[event]
        outcome[(names.to_numpy(object) == teams) & (event >= 0)] = side
    return outcome


def _split_by_draw(
    event: NDArray[np.intp], book: pd.Series[str], market: NDArray[np.int16], outcome: NDArray[np.int32]
) -> NDArray[np.int16]:
    """A book that has a draw in an event's `h2h` sells another market than one that has none."""
    with_draw = pd.Series(outcome == Outcome.DRAW).groupby([event, book.to_numpy()]).transform("any").to_numpy()
    return np.where(with_draw & (market == Market.H2H), Market.H2H_3_WAY, market).astype(np.int16)


def _ticks(segments: pd.DataFrame, looks: Ints) -> TimedQuotes:
    """Changes, and withdrawals where a selection's segments leave a gap."""
    keys = ["event", "book", "market", "outcome", "point"]
    rows = segments.sort_values([*keys, "first"], kind="stable", na_position="first").reset_index(drop=True)
    selection = rows.groupby(keys, dropna=False, sort=False)
    begins, ended = selection["first"].shift(-1, fill_value=len(looks) + 1).to_numpy(), rows["last"].to_numpy() + 1
    before, last = selection["price"].shift(1).to_numpy(), selection["last"].shift(1).to_numpy()
    changed = ~((before == rows["price"].to_numpy()) & (last + 1 >= rows["first"].to_numpy()))
    gone = (begins > ended) & (ended < len(looks))
    ticks, withdrawn = rows[changed], rows[gone].assign(price=np.nan)
    at = np.concatenate([ticks["first"].to_numpy(), ended[gone]])
    both = pd.concat([ticks, withdrawn])
    both.loc[both["price"].isna(), "book_time"] = UNKNOWN_TIME
    columns = [*keys, "price", "book_time"]
    arrays = [both[c].to_numpy().astype(t) for c, t in zip(columns, QuoteBatch.DTYPES, strict=True)]
    return TimedQuotes(QuoteBatch(*arrays), looks[at])


def _listed(events: Table, looks: Ints) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, last = (micros_of(events.frame[c]) for c in ("first_seen_utc", "last_seen_utc"))
    on = (looks[:, None] >= first) & (looks[:, None] <= last)
    look, event = np.nonzero(on)
    return look, event
