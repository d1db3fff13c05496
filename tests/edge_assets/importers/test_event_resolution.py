"""Events of different sources are resolved to one stored event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.importers.duplicate_events import find_suspected_duplicates
from edge_assets.importers.event_resolution import EventRef, resolve_events
from edge_assets.importers.formats.batch import ImportedBook, ParsedBatch, ParsedEvent, TimedQuotes
from edge_assets.importers.quote_batches import ImportContext, store_polls, store_quotes
from edge_assets.importers.resolve_batch import resolve_batch
from edge_assets.store.events import imports
from edge_assets.store.events.identities import load_named_events
from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import UNKNOWN_TIME, Market, Outcome, QuoteBatch
from ml.settlement import GameReport, Score

if TYPE_CHECKING:
    from psycopg import Connection

NOON = datetime(2019, 8, 10, 12, tzinfo=UTC)
EPL, MLB = "soccer_epl", "baseball_mlb"


def refs(*events: tuple[str, str, str, float], assumed: bool = False) -> list[EventRef]:
    """Refs from key, home, away and hours after noon."""
    made = [ParsedEvent(k, h, a, to_micros(NOON + timedelta(hours=x)), assumed) for k, h, a, x in events]
    return [EventRef(event, event.start - 10) for event in made]


def ids(conn: Connection, source: str, sport: str, events: list[EventRef]) -> list[int]:
    registry = IdRegistry.load(conn)
    try:
        return list(map(int, resolve_events(conn, source, sport, registry.sport(sport), events).ids))
    finally:
        registry.close()


def test_different_names_of_the_same_event_match(conn: Connection) -> None:
    first = ids(conn, "football-data", EPL, refs(("x", "Man United", "Wolves", 0), assumed=True))
    second = ids(conn, "odds-api", EPL, refs(("abc", "Manchester United", "Wolverhampton Wanderers", 2.5)))
    assert first == second
    assert conn.execute("SELECT source, key FROM event_sources ORDER BY source").fetchall() == [
        ("football-data", "x"),
        ("odds-api", "abc"),
    ]
    start = NOON + timedelta(hours=2.5)  # the known start replaces the assumed one
    assert conn.execute("SELECT commence_at, original_commence_at, start_assumed FROM events").fetchall() == [
        (start, start, False)
    ]


def test_other_days_teams_and_sports_are_different_events(conn: Connection) -> None:
    first = ids(conn, "a", EPL, refs(("1", "Reds", "Blues", 0)))
    others = [
        ids(conn, "b", EPL, refs(("2", "Reds", "Blues", 66))),
        ids(conn, "b", EPL, refs(("3", "Reds", "Greens", 0))),
        ids(conn, "b", "soccer_spl", refs(("4", "Reds", "Blues", 0))),
    ]
    assert len({*first, *(event for (event,) in others)}) == 4


def test_a_match_moved_by_a_day_is_the_same_if_teams_do_not_meet_on_consecutive_days(conn: Connection) -> None:
    """A source read before the move has the old start (Tottenham against Forest in 2024)."""
    assert ids(conn, "a", EPL, refs(("1", "Reds", "Blues", 0))) == ids(conn, "b", EPL, refs(("2", "Reds", "Blues", 26)))
    nba = [ids(conn, source, "basketball_nba", refs(("1", "Reds", "Blues", x))) for source, x in (("a", 0), ("b", 24))]
    assert nba[0] != nba[1]


def test_games_of_a_doubleheader_are_matched_one_by_one(conn: Connection) -> None:
    games = refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 3.5))
    first = ids(conn, "pinnacle-mlb", MLB, games)
    assert len(set(first)) == 2
    theirs = refs(("b", "Cubs", "Reds", 3.4), ("a", "Cubs", "Reds", 0.1))
    assert ids(conn, "odds-api", MLB, theirs) == first[::-1]
    # a third source with one game, two and a half hours from the first: neither of the two
    assert set(ids(conn, "other", MLB, refs(("z", "Cubs", "Reds", -2.5)))).isdisjoint(first)


def test_an_ambiguous_event_is_stored_separately_and_counted(conn: Connection) -> None:
    """A third source's game is between the two of a doubleheader; a wrong match would settle bets wrongly."""
    first = ids(conn, "pinnacle-mlb", MLB, refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 3.5)))
    registry = IdRegistry.load(conn)
    found = resolve_events(conn, "other", MLB, registry.sport(MLB), refs(("z", "Cubs", "Reds", 1.7)))
    registry.close()
    assert [event.key for event in found.ambiguous] == ["z"]
    assert set(found.ids.tolist()).isdisjoint(first)


def test_names_in_different_scripts_do_not_match(conn: Connection) -> None:
    greek = ids(conn, "odds-api", EPL, refs(("1", "ΝΟΤΟΣ", "ΒΟΡΡΑΣ", 0)))
    assert ids(conn, "football-data", EPL, refs(("2", "Запад", "Восток", 0))) != greek
    assert ids(conn, "football-data", EPL, refs(("3", "Νότος", "Βορράς", 0))) == greek


def test_two_keys_of_one_source_are_two_events(conn: Connection) -> None:
    """Listed five minutes apart, like a suspended game and the following one."""
    first = ids(conn, "pinnacle-mlb", MLB, refs(("g1", "Cubs", "Reds", 0), ("g2", "Cubs", "Reds", 1 / 12)))
    assert len(set(first)) == 2
    assert ids(conn, "pinnacle-mlb", MLB, refs(("g3", "Cubs", "Reds", 0)))[0] not in first


def test_swapped_sides_are_the_same_event_with_prices_and_scores_swapped(conn: Connection) -> None:
    """At a neutral place the sources disagree on the home team."""
    [event] = ids(conn, "odds-api", EPL, refs(("abc", "Reds", "Blues", 0)))
    registry = IdRegistry.load(conn)
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
    store_quotes(conn, [store_polls(conn, resolve_batch(conn, registry, batch), ImportContext(import_id, "run"))])
    registry.close()
    found = conn.execute("SELECT event_id, outcome_id, point, price FROM odds_ticks ORDER BY market_id").fetchall()
    assert found == [
        (event, Outcome.AWAY, None, 1.5),
        (event, Outcome.HOME, 1.5, 1.9),
        (event, Outcome.OVER, 2.5, 2.1),
    ]
    assert conn.execute("SELECT home_score, away_score FROM event_results").fetchall() == [(1, 3)]


def test_polling_finds_an_event_imported_under_another_name(conn: Connection) -> None:
    [event] = ids(conn, "football-data", EPL, refs(("x", "Man United", "Wolves", 0)))
    ids(conn, "odds-api", EPL, refs(("abc", "Manchester United", "Wolves", 0)))
    registry = IdRegistry.load(conn)
    live = registry.event("abc", registry.sport(EPL), "Manchester United", "Wolves", NOON + timedelta(hours=1), NOON)
    registry.close()
    assert live == event
    assert conn.execute("SELECT commence_at FROM events").fetchall() == [(NOON + timedelta(hours=1),)]


UNPLAYED = [("1", "Reds", "Blues", 0.0), ("2", "Greens", "Blues", 1.0)]
STARTS = "SELECT commence_at, original_commence_at FROM events ORDER BY id"


def test_a_match_listed_again_on_another_date_was_moved(conn: Connection) -> None:
    days = 24 * 11
    first, other = ids(conn, "football-data", EPL, refs(*UNPLAYED))
    assert ids(conn, "football-data", EPL, refs(("1b", "Reds", "Blues", days))) == [first]
    moved = NOON + timedelta(hours=days)
    assert conn.execute(STARTS).fetchall() == [(moved, NOON), (NOON + timedelta(hours=1),) * 2]
    assert conn.execute("SELECT commence_at FROM event_starts WHERE event_id = %s ORDER BY 1", [first]).fetchall() == [
        (NOON,),
        (moved,),
    ]
    assert ids(conn, "football-data", EPL, refs(("1b", "Reds", "Blues", days), UNPLAYED[1])) == [first, other]
    # the return match, another season and a league with four rounds are other events
    others = [
        *ids(conn, "football-data", EPL, refs(("3", "Blues", "Reds", days + 2_400), ("4", "Reds", "Blues", 24 * 370))),
        *ids(conn, "football-data", "soccer_spl", refs(("5", "Reds", "Blues", 0))),
        *ids(conn, "football-data", "soccer_spl", refs(("6", "Reds", "Blues", days))),
    ]
    assert len({first, other, *others}) == 6


def test_a_match_still_listed_on_its_date_is_not_moved(conn: Connection) -> None:
    both = ids(conn, "football-data", EPL, refs(("1", "Reds", "Blues", 0), ("1b", "Reds", "Blues", 24 * 11)))
    assert len(set(both)) == 2
    [pair] = find_suspected_duplicates(load_named_events(conn))
    assert ((pair.first.id, pair.second.id), pair.reason) == (tuple(both), "the same host and guest twice in a season")
    assert ids(conn, "football-data", EPL, refs(("1c", "Reds", "Blues", 24 * 30)))[0] not in both, "which of them?"


def test_events_of_one_day_are_suspected_whatever_their_sides(conn: Connection) -> None:
    ids(
        conn, "odds-api", EPL, refs(("1", "Reds", "Blues", 0), ("2", "Blues", "Reds", 20), ("3", "Blues", "Greens", 20))
    )
    [pair] = find_suspected_duplicates(load_named_events(conn))
    assert pair.reason == "the same teams on the same day"
    ids(conn, "odds-api", MLB, refs(("a", "Mets", "Cubs", 0), ("b", "Mets", "Cubs", 4)))
    assert find_suspected_duplicates(load_named_events(conn)) == [pair], "a doubleheader is two events"
