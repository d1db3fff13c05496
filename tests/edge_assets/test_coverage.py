"""Which books and markets an answer would show, by what answers show."""

from __future__ import annotations

import pytest

from edge_assets.coverage import Coverage, Profile

REGIONS = {"dk": {"us"}, "fd": {"us"}, "mgm": {"us"}, "pinnacle": {"eu"}, "hill": {"uk", "eu"}}
TITLES = {"barbook": "Bar", "barsport": "Bar"}


def profile(book: str) -> Profile:
    return Profile(TITLES.get(book, book), frozenset(REGIONS.get(book, ())))


def covered(*answers: str) -> set[str]:
    """The books that the last of some answers covers; books are separated by spaces."""
    coverage = Coverage(profile)
    *_, last = [coverage.follow(frozenset(books.split()), frozenset({"h2h"})) for books in answers]
    return set(last.books)


@pytest.mark.parametrize(
    ("answers", "books"),
    [
        (("a b c", "a b c"), "a b c"),
        (("a b c", "a c"), "a b c"),  # b is withdrawn
        (("a b c", "d e f"), "d e f"),  # another question
        (("a b c", "d e f", "a b"), "a b c"),
        (("a b c", "d e f", "c d e f"), "c d e f"),
        (("a b", "b"), "a b"),
        (("barbook", "barsport"), "barbook barsport"),  # renamed
        (("barbook", "other"), "other"),
        (("dk fd mgm", "fd"), "dk fd mgm"),  # the region is the same
        (("pinnacle hill", "dk hill", "hill dk fd"), "hill dk fd pinnacle"),
        (("pinnacle dk", "hill"), "hill"),  # listed in two regions: it tells neither
        (("a b c", ""), "a b c"),  # one question, nothing on offer
        (("a b c", "d e f", ""), ""),  # which of the two it was is not known
    ],
)
def test_the_books_that_an_answer_covers(answers: tuple[str, ...], books: str) -> None:
    assert covered(*answers) == set(books.split())


def test_an_answer_covers_the_markets_that_it_shows() -> None:
    coverage = Coverage(profile)
    books = frozenset("ab")
    assert coverage.follow(books, frozenset({"h2h", "totals"})).markets == {"h2h", "totals"}
    assert coverage.follow(books, frozenset({"h2h"})).markets == {"h2h"}
    assert coverage.follow(frozenset(), frozenset()).markets == {"h2h", "totals"}
    coverage.follow(books, frozenset({"spreads"}))
    assert coverage.follow(frozenset(), frozenset()).markets == frozenset()
