"""Weights, commissions and clone groups of books."""

from __future__ import annotations

from edge_assets.core.settings import Settings
from edge_assets.reference.book_profiles import book_profile
from edge_assets.reference.books import load_known_books
from edge_assets.sandbox.simulator.books import BOOKS
from ml.quotes import Market
from ml.settlement import Period


def test_sharp_books_weigh_more_and_weights_can_be_overridden() -> None:
    weights = {"pinnacle": 0.5, "fanduel": 2.0}
    assert (book_profile("pinnacle", weights).weight, book_profile("fanduel", weights).weight) == (0.5, 2.0)
    assert book_profile("circasports", weights).weight > 1


def test_weights_are_configured_as_pairs() -> None:
    settings = Settings.model_validate({"edge_book_weights": "pinnacle=3,fanduel=0.25"})
    assert book_profile("fanduel", settings.edge_book_weights).weight == 0.25


def test_an_unknown_book_has_weight_one_and_its_own_clone_group() -> None:
    assert book_profile("newcomer", {})[:3] == (1.0, 0.0, "newcomer")


def test_a_book_has_the_settlement_rules_of_its_sport() -> None:
    rules = book_profile("newcomer", {}, "icehockey_nhl").rules_for(Market.H2H_3_WAY)
    assert rules is not None
    assert rules.period is Period.REGULATION


def test_a_clone_has_its_source_and_an_exchange_its_commission() -> None:
    assert book_profile("lowvig", {}).clone_group == book_profile("betonlineag", {}).clone_group
    assert 0 < book_profile("betfair_ex_uk", {}).commission < 0.1


def test_no_clone_is_itself_a_source() -> None:
    known = load_known_books()
    sources = {book.clone_of for book in known.values() if book.clone_of}
    assert all(
        source in known and known[source].clone_of is None for source in sources - {"sim_bluebird", "sim_highroad"}
    )


def test_profiles_of_simulated_books_agree_with_the_simulator() -> None:
    for book in BOOKS:
        reported = book_profile(book.key, {})
        assert reported.clone_group == (book.copied_book or book.key)
        assert (reported.weight > 1) == (book.kind in {"sharp", "exchange"})
        assert reported.commission == 0
