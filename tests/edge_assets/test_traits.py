"""Which book counts how much, keeps what, and copies whom."""

from __future__ import annotations

from edge_assets.books import well_known_books
from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.settings import Settings
from edge_assets.traits import traits
from ml.quotes import Market
from ml.settlement import Period


def test_sharp_books_lead_and_overrides_replace_single_ones() -> None:
    weights = {"pinnacle": 0.5, "fanduel": 2.0}
    assert (traits("pinnacle", weights).weight, traits("fanduel", weights).weight) == (0.5, 2.0)
    assert traits("circasports", weights).weight > 1


def test_overrides_are_written_as_pairs() -> None:
    settings = Settings.model_validate({"edge_book_weights": "pinnacle=3,fanduel=0.25"})
    assert traits("fanduel", settings.edge_book_weights).weight == 0.25


def test_an_unknown_book_counts_once_and_copies_nobody() -> None:
    assert traits("newcomer", {})[:3] == (1.0, 0.0, "newcomer")


def test_a_book_settles_as_its_rules_say() -> None:
    rules = traits("newcomer", {}, "icehockey_nhl").rules_of(Market.H2H_3_WAY)
    assert rules is not None
    assert rules.period is Period.REGULATION


def test_a_clone_names_its_source_and_an_exchange_its_commission() -> None:
    assert traits("lowvig", {}).source == traits("betonlineag", {}).source
    assert 0 < traits("betfair_ex_uk", {}).commission < 0.1


def test_every_source_is_a_book_that_copies_nobody() -> None:
    known = well_known_books()
    sources = {book.clone_of for book in known.values() if book.clone_of}
    assert all(
        source in known and known[source].clone_of is None for source in sources - {"sim_bluebird", "sim_highroad"}
    )


def test_the_simulated_books_are_told_as_they_are() -> None:
    for book in BOOKS:
        told = traits(book.key, {})
        assert told.source == (book.copies or book.key)
        assert (told.weight > 1) == (book.kind in {"sharp", "exchange"})
        assert told.commission == 0
