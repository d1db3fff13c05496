"""Which books, markets and events a response would show, by what responses show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes.coverage import MIN_REPEATS, BookListing, CoverageTracker, PayloadContents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ml.quotes.coverage import CoveredScope

REGIONS = {"dk": {"us"}, "fd": {"us"}, "mgm": {"us"}, "pinnacle": {"eu"}, "onex": {"eu"}, "hill": {"uk", "eu"}}
TITLES = {"barbook": "Bar", "barsport": "Bar"} | dict.fromkeys(("ex_uk", "ex_eu"), "Exchange")
REGIONS |= {"ex_uk": {"uk"}, "ex_eu": {"eu"}}
HOUR = 3_600_000_000
AHEAD = {"e1": 24 * HOUR, "e2": 24 * HOUR}


def profile(book: str) -> BookListing:
    return BookListing(TITLES.get(book, book), frozenset(REGIONS.get(book, ())))


def response(
    books: str = "a b", events: str | dict[str, int] = "e1 e2", markets: str = "h2h", at: int = 0
) -> PayloadContents[str]:
    starts = events if isinstance(events, dict) else dict.fromkeys(events.split(), 24 * HOUR)
    return PayloadContents(frozenset(books.split()), frozenset(markets.split()), starts, at)


def last_of(responses: Iterable[PayloadContents[str]]) -> CoveredScope[str]:
    coverage = CoverageTracker(profile)
    *_, last = map(coverage.update, responses)
    return last


@pytest.mark.parametrize(
    ("before", "books", "covered"),
    [
        (["a b c"], "a c", "a c"),  # b may not have been asked for
        (["a b c"] * MIN_REPEATS, "a c", "a b c"),  # it was, each time
        ([*["a b c"] * (MIN_REPEATS - 1), "a c", "a b c"], "a c", "a c"),  # not each time
        (["a b c", "d e f"] * MIN_REPEATS, "a b", "a b c"),  # two questions in turn
        (["a b c", "d e f"] * MIN_REPEATS, "d e", "d e f"),
        (["a b"] * MIN_REPEATS, "c d", "c d"),
        (["dk fd pinnacle onex"] * MIN_REPEATS, "dk fd", "dk fd"),  # the region was left out
        (["dk fd pinnacle onex"] * MIN_REPEATS, "dk onex", "dk fd pinnacle onex"),
        (["dk pinnacle hill"] * MIN_REPEATS, "dk hill", "dk hill"),  # listed in two regions: it identifies neither
        (["barbook"], "barsport", "barbook barsport"),  # renamed
        (["barbook", "barsport"], "barsport", "barbook barsport"),
        (["barbook", "barsport"], "barbook", "barbook"),  # it was not
        (["ex_uk"], "ex_eu", "ex_eu"),  # two books of one title, as the list has it
        (["a b"], "", ""),
        (["a b"] * MIN_REPEATS, "", "a b"),
        ([*["a b"] * MIN_REPEATS, "c d"], "", ""),
    ],
)
def test_the_books_that_an_response_covers(before: list[str], books: str, covered: str) -> None:
    assert last_of(map(response, [*before, books])).books == set(covered.split())


LONG = {f"e{n}": (n + 1) * HOUR for n in range(12)}


@pytest.mark.parametrize(
    ("before", "shown", "gone"),
    [
        ([AHEAD], {"e1": 24 * HOUR}, set()),
        ([AHEAD] * MIN_REPEATS, {"e1": 24 * HOUR}, {"e2"}),
        ([AHEAD], {"e3": 24 * HOUR}, set()),
        ([{"e1": -2 * HOUR, "e2": HOUR}], {"e2": HOUR}, set()),  # in play
        ([{"e1": -3 * HOUR, "e2": HOUR}], {"e2": HOUR}, {"e1"}),  # over
        ([LONG], {e: at for e, at in LONG.items() if e != "e5"}, {"e5"}),  # no window leaves it out
        ([LONG], {e: at for e, at in LONG.items() if e not in {"e0", "e11"}}, set()),
        ([LONG], {e: at for e, at in LONG.items() if e not in {"e5", "e6"}}, set()),
    ],
)
def test_the_events_that_are_gone(before: list[dict[str, int]], shown: dict[str, int], gone: set[str]) -> None:
    assert last_of(response(events=events) for events in [*before, shown]).events - shown.keys() == gone


def test_a_response_covers_the_markets_that_it_shows() -> None:
    assert last_of([response(markets="h2h totals"), response(markets="h2h")]).markets == {"h2h"}
    assert last_of([*[response(markets="h2h totals")] * MIN_REPEATS, response("", "", "")]).markets == {"h2h", "totals"}
    assert last_of([response(markets="h2h totals"), response("", "", "")]).markets == set()


BOOKS, MARKETS, EVENTS = (
    ("dk", "fd", "pinnacle", "hill", "a", "b"),
    ("h2h", "spreads"),
    tuple(f"e{n}" for n in range(9)),
)
CELLS = [(event, book, market) for event in EVENTS for book in BOOKS for market in MARKETS]


def subsets(of: tuple[str, ...]) -> st.SearchStrategy[set[str]]:
    return st.sets(st.sampled_from(of))


@given(
    world=st.sets(st.sampled_from(CELLS)),
    requests=st.lists(st.tuples(subsets(EVENTS), subsets(BOOKS), subsets(MARKETS)), max_size=MIN_REPEATS),
)
def test_requests_to_an_unchanged_market_withdraw_nothing(
    world: set[tuple[str, str, str]], requests: list[tuple[set[str], set[str], set[str]]]
) -> None:
    coverage = CoverageTracker(profile)
    for asked in requests:
        cells = {cell for cell in world if all(part in some for part, some in zip(cell, asked, strict=True))}
        events, books, markets = (frozenset(cell[n] for cell in cells) for n in range(3))
        covered = coverage.update(PayloadContents(books, markets, dict.fromkeys(events, 24 * HOUR), 0))
        silent = {(e, b, m) for e in covered.events for b in covered.books for m in covered.markets} - cells
        assert not silent & world
