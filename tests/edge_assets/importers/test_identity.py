"""One event is one event, whatever its sources call it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.importers.event_resolution import EventRef, resolve_events
from edge_assets.importers.formats.batch import ImportedBook, ParsedBatch, ParsedEvent, TimedQuotes
from edge_assets.importers.quote_batches import ImportContext, store_polls, store_quotes
from edge_assets.importers.resolve_batch import resolve_batch
from edge_assets.store.events import imports
from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch
from ml.settlement import GameReport, Score

if TYPE_CHECKING:
    from psycopg import Connection

NOON = datetime(2019, 8, 10, 12, tzinfo=UTC)
EPL, MLB = "soccer_epl", "baseball_mlb"


def refs(*events: tuple[str, str, str, float], assumed: bool = False) -> list[EventRef]:
    """Key, home, away, hours after noon."""
    made = [ParsedEvent(k, h, a, to_micros(NOON + timedelta(hours=x)), assumed) for k, h, a, x in events]
    return [EventRef(event, event.start - 10) for event in made]


def ids(conn: Connection, source: str, sport: str, events: list[EventRef]) -> list[int]:
    words = IdRegistry.load(conn)
    try:
        return list(map(int, resolve_events(conn, source, sport, words.sport(sport), events).ids))
    finally:
        words.close()


def test_names_differ_and_the_event_is_the_same(conn: Connection) -> None:
    first = ids(conn, "football-data", EPL, refs(("x", "Man United", "Wolves", 0), assumed=True))
    second = ids(conn, "odds-api", EPL, refs(("abc", "Manchester United", "Wolverhampton Wanderers", 2.5)))
    assert first == second
    assert conn.execute("SELECT source, key FROM event_sources ORDER BY source").fetchall() == [
        ("football-data", "x"),
        ("odds-api", "abc"),
    ]
    start = NOON + timedelta(hours=2.5)  # the assumed start has given way to the known one
    assert conn.execute("SELECT commence_at, original_commence_at, start_assumed FROM events").fetchall() == [
        (start, start, False)
    ]


def test_another_day_or_other_teams_or_another_sport_is_another_event(conn: Connection) -> None:
    first = ids(conn, "a", EPL, refs(("1", "Reds", "Blues", 0)))
    others = [
        ids(conn, "b", EPL, refs(("2", "Reds", "Blues", 66))),
        ids(conn, "b", EPL, refs(("3", "Reds", "Greens", 0))),
        ids(conn, "b", "soccer_spl", refs(("4", "Reds", "Blues", 0))),
    ]
    assert len({*first, *(event for (event,) in others)}) == 4


def test_a_match_that_was_moved_by_a_day_is_the_same_where_teams_never_meet_two_days_running(conn: Connection) -> None:
    """A source that looked before it was moved tells the old start (Tottenham against Forest in 2024)."""
    assert ids(conn, "a", EPL, refs(("1", "Reds", "Blues", 0))) == ids(conn, "b", EPL, refs(("2", "Reds", "Blues", 26)))
    nba = [ids(conn, source, "basketball_nba", refs(("1", "Reds", "Blues", x))) for source, x in (("a", 0), ("b", 24))]
    assert nba[0] != nba[1]


def test_doubleheaders_stay_apart_and_are_met_game_by_game(conn: Connection) -> None:
    games = refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 3.5))
    first = ids(conn, "pinnacle-mlb", MLB, games)
    assert len(set(first)) == 2
    theirs = refs(("b", "Cubs", "Reds", 3.4), ("a", "Cubs", "Reds", 0.1))
    assert ids(conn, "odds-api", MLB, theirs) == first[::-1]
    # a third source that knows one game only, two hours and a half from the first: none of the two
    assert set(ids(conn, "other", MLB, refs(("z", "Cubs", "Reds", -2.5)))).isdisjoint(first)


def test_what_could_be_two_events_is_neither_and_counted(conn: Connection) -> None:
    """A third source's game lies between the two of a doubleheader: a wrong score would settle wrong bets."""
    first = ids(conn, "pinnacle-mlb", MLB, refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 3.5)))
    words = IdRegistry.load(conn)
    found = resolve_events(conn, "other", MLB, words.sport(MLB), refs(("z", "Cubs", "Reds", 1.7)))
    words.close()
    assert [event.key for event in found.ambiguous] == ["z"]
    assert set(found.ids.tolist()).isdisjoint(first)


def test_names_in_other_scripts_never_make_one_event_of_two(conn: Connection) -> None:
    greek = ids(conn, "odds-api", EPL, refs(("1", "ΝΟΤΟΣ", "ΒΟΡΡΑΣ", 0)))
    assert ids(conn, "football-data", EPL, refs(("2", "Запад", "Восток", 0))) != greek
    assert ids(conn, "football-data", EPL, refs(("3", "Νότος", "Βορράς", 0))) == greek


def test_a_source_never_has_two_keys_for_one_event(conn: Connection) -> None:
    """Listed twice five minutes apart, as a suspended game and the one after it were."""
    first = ids(conn, "pinnacle-mlb", MLB, refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 1 / 12)))
    assert len(set(first)) == 2
    assert ids(conn, "pinnacle-mlb", MLB, refs(("g3", "Cubs", "Reds", 0)))[0] not in first


def test_the_other_way_round_is_the_same_event_with_prices_and_scores_turned(conn: Connection) -> None:
    """At a neutral place the two sources disagree on who is at home."""
    [event] = ids(conn, "odds-api", EPL, refs(("abc", "Reds", "Blues", 0)))
    words = IdRegistry.load(conn)
    start = to_micros(NOON)
    rows = [
        (0, 0, Market.H2H, Outcome.HOME, np.nan, 1.5, UNKNOWN_TIME),
        (0, 0, Market.SPREADS, Outcome.AWAY, 1.5, 1.9, UNKNOWN_TIME),
        (0, 0, Market.TOTALS, Outcome.OVER, 2.5, 2.1, UNKNOWN_TIME),
    ]
    batch = ParsedBatch(
        feed="football-data",
        key_source="football-data",
        sport=EPL,
        events=[ParsedEvent("k", "Blues", "Reds", start, report=GameReport.final(Score(3, 1)), reported_at=start)],
        books=[ImportedBook("acme", "Acme")],
        quotes=TimedQuotes(QuoteBatch.from_rows(rows), np.full(3, start - 5)),
        rows=1,
    )
    import_id, _ = imports.begin_import(conn, "football-data", "x", b"x")
    store_quotes(conn, [store_polls(conn, resolve_batch(conn, words, batch), ImportContext(import_id, "run"))])
    words.close()
    found = conn.execute("SELECT event_id, outcome_id, point, price FROM odds_ticks ORDER BY market_id").fetchall()
    assert found == [
        (event, Outcome.AWAY, None, 1.5),
        (event, Outcome.HOME, 1.5, 1.9),
        (event, Outcome.OVER, 2.5, 2.1),
    ]
    assert conn.execute("SELECT home_score, away_score FROM event_results").fetchall() == [(1, 3)]


def test_the_live_path_finds_an_event_that_was_imported_under_another_name(conn: Connection) -> None:
    [event] = ids(conn, "football-data", EPL, refs(("x", "Man United", "Wolves", 0)))
    ids(conn, "odds-api", EPL, refs(("abc", "Manchester United", "Wolves", 0)))
    words = IdRegistry.load(conn)
    live = words.event("abc", words.sport(EPL), "Manchester United", "Wolves", NOON + timedelta(hours=1), NOON)
    words.close()
    assert live == event
    assert conn.execute("SELECT commence_at FROM events").fetchall() == [(NOON + timedelta(hours=1),)]
