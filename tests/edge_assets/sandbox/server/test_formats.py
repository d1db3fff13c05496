"""Conversion of prices and times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_assets.feeds.recordings.conversions import to_american, to_decimal, to_iso, to_unix
from edge_assets.reference.books import REGIONS, is_listed_in, load_known_books


@pytest.mark.parametrize(
    ("american", "decimal"),
    [(100, 2.0), (150, 2.5), (-200, 1.5), (-110, 1 + 100 / 110), (0, None), (50, None), (-99.5, None), (None, None)],
)
def test_american_to_decimal(american: float | None, decimal: float | None) -> None:
    assert to_decimal(american) == decimal


@pytest.mark.parametrize(
    ("decimal", "american"), [(2, 100), (1.5, -200), (1.91, -110), (10, 900), (1.0, -100_000), (0, -100_000)]
)
def test_decimal_to_american(decimal: float, american: int) -> None:
    assert to_american(decimal) == american


@settings(max_examples=50, deadline=None)
@given(st.integers(100, 100_000), st.booleans())
def test_american_prices_survive_the_round_trip(size: int, favourite: bool) -> None:
    american = -size if favourite and size > 100 else size
    assert to_american(to_decimal(american)) == american


def test_times() -> None:
    assert to_iso("2025-11-03T18:00:00") == "2025-11-03T18:00:00Z"
    assert to_unix("0001-01-01T00:00:00+02:00") == "0001-01-01T00:00:00+02:00"
    assert to_iso(10**20) == 10**20
    assert to_unix("2025-11-03T18:00:00Z") == 1762192800
    assert to_iso(1762192800) == "2025-11-03T18:00:00Z"


def test_known_books_are_consistent() -> None:
    known = load_known_books()
    assert all(set(book.regions) <= REGIONS for book in known.values())
    assert all(bool(book.regions) != key.startswith("sim_") for key, book in known.items())
    sources = {book.clone_of for book in known.values() if book.clone_of}
    assert sources <= known.keys()
    assert not [key for key in sources if known[key].clone_of], "a clone copies a source, not another clone"


def test_books_are_listed_by_region() -> None:
    assert is_listed_in("pinnacle", frozenset({"eu", "us"}))
    assert not is_listed_in("pinnacle", frozenset({"us"}))
    assert is_listed_in("founded_tomorrow", frozenset({"us"}))
