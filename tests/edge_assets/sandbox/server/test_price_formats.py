"""Inference of the price format of a recorded response, and prices that do not fit it."""

from __future__ import annotations

import pytest

from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.recordings.price_formats import PRICE_FORMAT_UNCLEAR, detect_price_format, drop_unclear_prices
from edge_assets.feeds.recordings.wire import RawBookmaker, RawEventOdds, RawMarket, RawOutcome

A, D = PriceFormat.AMERICAN, PriceFormat.DECIMAL


def event(*books: tuple[float | None, ...], market: str = "h2h") -> RawEventOdds:
    bookmakers = [
        RawBookmaker(
            f"b{n}",
            f"b{n}",
            markets=[RawMarket(key=market, outcomes=[RawOutcome(str(i), p) for i, p in enumerate(ps)])],
        )
        for n, ps in enumerate(books)
    ]
    return RawEventOdds("e", "soccer_epl", "EPL", "2026-03-08T18:00:00Z", "Alpha", "Beta", bookmakers=bookmakers)


@pytest.mark.parametrize(
    ("books", "market", "price_format", "read"),
    [
        ([(1.0, 101.0, 501.0)], "h2h", D, ["b0"]),  # in play, nearly decided
        ([(126, 151, 201, 251, 501)], "outrights", None, []),  # the long end of a decimal list
        ([(450, 600, 800, 12500.5)], "outrights", A, ["b0"]),
        ([(150, 220, 190)], "h2h", A, ["b0"]),
        ([(150.0, 220.0, 190.0), (2.5, 3.2, 2.9)], "h2h", D, ["b1"]),  # a tie
        ([(-150, 130), (1.9, 1.95), (1.8, 2.1)], "h2h", D, ["b1", "b2"]),
        ([(-150, 130), (-140, 120), (1.8, 2.1)], "h2h", A, ["b0", "b1"]),
        ([(150, 220, 190), (150, 220, 0)], "h2h", A, ["b0", "b1"]),  # one is suspended
        ([(-110, -110), (-50, 0), (50, 99)], "h2h", A, ["b0", "b1", "b2"]),  # rejected one by one
        ([(1.9, -1)], "h2h", D, ["b0"]),
        ([(150, -50), (50, -99)], "h2h", None, []),  # inconclusive in either format
        ([(150, 1.9), (220, 2.1)], "h2h", None, []),  # a mixture
        ([(150, 1.9), (1.9, 1.95), (-110, 1.95), (50, -99)], "h2h", D, ["b1", "b2"]),
        ([(1.01, 101.0), (1.05, 19.0, 151.0)], "h2h", D, ["b0", "b1"]),
        ([(None, 36.0, 36.0)], "h2h", None, ["b0"]),
        ([(101.0, 501.0)], "h2h", None, []),  # the leader is suspended
        ([(1.9, 1.95), (101.0, 501.0)], "h2h", D, ["b0"]),
        ([(1.9, 1.95), (11.0, 501.0)], "h2h", D, ["b0", "b1"]),
    ],
)
def test_the_price_format_is_inferred(
    books: list[tuple[float | None, ...]], market: str, price_format: PriceFormat | None, read: list[str]
) -> None:
    sent = [event(*books, market=market)]
    assert detect_price_format(sent) is price_format
    rejected: list[str] = []
    [kept] = drop_unclear_prices(sent, rejected)
    assert [book.key for book in kept.bookmakers if book.markets] == read
    assert rejected == [PRICE_FORMAT_UNCLEAR] * (len(books) - len(read))


def test_a_consistent_response_is_unchanged() -> None:
    sent = [event((1.9, 1.95))]
    assert drop_unclear_prices(sent, []) is sent
