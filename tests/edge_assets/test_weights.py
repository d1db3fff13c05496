"""Which book counts how much."""

from __future__ import annotations

from edge_assets.feeds.simulate.books import BOOKS
from edge_assets.settings import Settings
from edge_assets.weights import book_weights


def test_sharp_books_lead_and_overrides_replace_single_ones() -> None:
    weights = book_weights({"pinnacle": 0.5, "fanduel": 2.0})
    assert (weights["pinnacle"], weights["fanduel"]) == (0.5, 2.0)
    assert weights["circasports"] > 1


def test_overrides_are_written_as_pairs() -> None:
    settings = Settings.model_validate({"edge_book_weights": "pinnacle=3,fanduel=0.25"})
    weights = book_weights(settings.edge_book_weights)
    assert (weights["pinnacle"], weights["fanduel"]) == (3.0, 0.25)


def test_every_simulated_clone_weighs_nothing_and_every_sharp_book_more_than_one() -> None:
    weights = book_weights({})
    for book in BOOKS:
        if book.kind == "clone":
            assert weights[book.key] == 0
        elif book.kind in {"sharp", "exchange"}:
            assert weights[book.key] > 1
    assert {key for key in weights if key.startswith("sim_")} <= {book.key for book in BOOKS}
