"""Each name gets one id, whichever connection asks first."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge_assets.core.texts import UnusableTextError
from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import FIRST_DYNAMIC_ID, Market, Outcome
from tests.support.poll_factories import NOON, START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

LATER = timedelta(hours=2)


@pytest.fixture
def words(database_url: str) -> Iterator[IdRegistry]:
    """The dictionaries of the test's database."""
    vocabulary = IdRegistry.load(database_url)
    yield vocabulary
    vocabulary.close()


def test_the_ids_of_the_code_are_the_ids_of_the_database(words: IdRegistry, conn: Connection) -> None:
    assert {m: words.market(m.key) for m in Market} == {m: m.value for m in Market}
    assert {o: words.outcome(o.key, None) for o in Outcome} == {o: o.value for o in Outcome}
    assert conn.execute("SELECT (SELECT count(*) FROM markets), (SELECT count(*) FROM outcomes)").fetchone() == (8, 7)


def test_names_invented_by_feeds_get_later_ids(words: IdRegistry) -> None:
    over = words.outcome("Over", "Sam Darnold")

    assert words.market("player_pass_yds") == FIRST_DYNAMIC_ID
    assert over == FIRST_DYNAMIC_ID
    assert words.outcome("Over", "Cooper Kupp") == over + 1
    assert words.outcome("Over", None) == over + 2
    assert words.outcome("Over", "Sam Darnold") == over


def test_ids_outlive_the_process(words: IdRegistry, database_url: str) -> None:
    ids = words.sport("soccer_epl", "EPL"), words.book("pinnacle", "Pinnacle"), words.market("btts")

    again = IdRegistry.load(database_url)

    assert (again.sport("soccer_epl"), again.book("pinnacle", "Pinnacle"), again.market("btts")) == ids
    assert again.book_key(ids[1]) == "pinnacle"
    again.close()


def test_many_connections_ask_for_the_same_new_names_at_once(database_url: str, conn: Connection) -> None:
    def ask(_: int) -> list[int]:
        words = IdRegistry.load(database_url)
        sport = words.sport("icehockey_nhl", "NHL")
        ids = [words.book(f"book{i}", f"Book {i}") for i in range(10)]
        ids += [words.outcome("Over", f"player {i}") for i in range(10)]
        ids += [words.event(f"event {i}", sport, "Home", "Away", START, NOON) for i in range(10)]
        words.close()
        return [sport, *ids]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))

    assert answers == [answers[0]] * 6
    assert conn.execute("SELECT (SELECT count(*) FROM books), (SELECT count(*) FROM events)").fetchone() == (10, 10)


def test_a_book_that_another_process_added_is_found(words: IdRegistry, database_url: str) -> None:
    other = IdRegistry.load(database_url)
    book = other.book("bovada", "Bovada")
    other.close()

    assert words.book_key(book) == "bovada"
    with pytest.raises(KeyError):
        words.book_key(book + 1)


def test_a_start_that_moves_leaves_a_history(words: IdRegistry, conn: Connection) -> None:
    sport = words.sport("americanfootball_nfl", "NFL")
    poll_list = [(NOON, START), (NOON + LATER, START), (NOON + 2 * LATER, START + LATER), (NOON + 3 * LATER, START)]

    ids = {words.event("e1", sport, "Seahawks", "Rams", start, seen) for seen, start in poll_list}

    assert len(ids) == 1
    history = conn.execute("SELECT observed_at, commence_at FROM event_starts ORDER BY observed_at").fetchall()
    assert history == [poll_list[0], poll_list[2], poll_list[3]]
    event = conn.execute("SELECT commence_at, original_commence_at, first_seen_at FROM events").fetchone()
    assert event == (START, START, NOON)


def test_another_process_does_not_repeat_a_known_start(words: IdRegistry, database_url: str, conn: Connection) -> None:
    sport = words.sport("americanfootball_nfl", "NFL")
    words.event("e1", sport, "Seahawks", "Rams", START, NOON)
    other = IdRegistry.load(database_url)
    other.event("e1", sport, "Seahawks", "Rams", START, NOON + LATER)
    other.close()

    assert conn.execute("SELECT count(*) FROM event_starts").fetchone() == (1,)


def test_an_event_is_as_old_as_its_first_sight(words: IdRegistry, database_url: str, conn: Connection) -> None:
    sport = words.sport("americanfootball_nfl", "NFL")
    words.event("e1", sport, "Seahawks", "Rams", START, NOON)
    importer = IdRegistry.load(database_url)
    importer.event("e1", sport, "Seahawks", "Rams", START, NOON - LATER)
    importer.close()

    assert conn.execute("SELECT first_seen_at FROM events").fetchone() == (NOON - LATER,)


def test_a_title_replaces_a_key_used_as_its_placeholder(words: IdRegistry, database_url: str, conn: Connection) -> None:
    late = IdRegistry.load(database_url)
    sport = words.sport("soccer_epl")

    assert late.sport("soccer_epl", "EPL") == sport
    late.close()
    assert conn.execute("SELECT title FROM sports").fetchall() == [("EPL",)]


def test_a_name_that_the_database_refuses_is_an_unusable_text_and_no_lost_connection(
    words: IdRegistry, conn: Connection
) -> None:
    """One is too long for the index, of the other kind there are no ids left."""
    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=40_000))
    with pytest.raises(UnusableTextError, match="refused_by_database"):
        words.market(noise)
    with pytest.raises(UnusableTextError, match="refused_by_database"):
        words.event(noise, words.sport("nfl"), "home", "away", START, NOON)
    conn.execute("SELECT setval(pg_get_serial_sequence('books', 'id'), 32767)")
    with pytest.raises(UnusableTextError, match="refused_by_database"):
        words.book("one_too_many", "One Too Many")
    assert words.market("h2h") == Market.H2H


def test_new_names_are_rationed_and_known_ones_are_not(words: IdRegistry) -> None:
    known = words.book("a", "A")
    words.limit_new_names(books=(0, 2))
    assert [words.book(key, key) > known for key in "bc"] == [True, True]
    with pytest.raises(UnusableTextError, match="too_many_new_books"):
        words.book("d", "D")
    assert (words.book("a", "A"), words.market("a new one") > 0) == (known, True)
    words.limit_new_names(books=(5, 0))
    assert words.book("d", "D") > known, "there are few"
