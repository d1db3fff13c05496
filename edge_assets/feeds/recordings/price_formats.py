"""Infer the price format of a recorded response, which does not state it, from its markets.

The probabilities that a market's prices imply add up to 1 plus a margin. Prices of two or three outcomes that do so in
one format, all beyond +-100 or all from 1 on, do not in the other (150, 220 and 190 add up to 1.06 as American prices
and to 0.017 as decimal ones). Each such market of a book is one vote, the majority decides, and a book that contradicts
it is dropped, because neither format is certain for it. Invalid values have no vote.

A list of outrights, all above 100, is undecidable if there is no other market. It is taken as American, unless all
prices end in 1 or 6, as long decimal prices do, or the booksum exceeds `MAX_OUTRIGHTS_BOOKSUM`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge_assets.feeds.odds_api.conversions import AMERICAN_EVEN_MONEY, PriceFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_assets.feeds.recordings.wire import RawBookmaker, RawEventOdds, RawMarket

PRICE_FORMAT_UNCLEAR = "price_format_unclear"
MIN_DECIMAL_BOOKSUM = 0.5
"""The lowest booksum of decimal prices, some outcomes suspended; that of American ones, read as decimal, is a few
hundredths."""
AMERICAN_BOOKSUM_RANGE = (0.9, 1.5)
"""The booksum of American prices in a market of two or three outcomes."""
MIXED_FORMAT_SHARE = 0.75
"""The lowest booksum of a market that mixes both formats, each price read in its own."""
MAX_OUTRIGHTS_BOOKSUM = 2.0
MAX_MATCH_OUTCOMES = 3
"""Of one line; more outcomes mean several lines."""
OUTRIGHTS = "outrights"
MATCH_MARKETS = frozenset({"h2h", "spreads", "totals"})


def detect_price_format(events: Iterable[RawEventOdds]) -> PriceFormat | None:
    """The price format of a response, by majority of its markets; None if none is conclusive."""
    votes = Counter(
        vote for event in events for book in event.bookmakers for vote in map(infer_price_format, book.markets) if vote
    )
    return _majority_format(votes)


def drop_unclear_prices(events: Sequence[RawEventOdds], rejected: list[str]) -> Sequence[RawEventOdds]:
    """Drop the books and markets whose prices do not fit the format of the response.

    Returns the same objects if nothing is dropped; `PRICE_FORMAT_UNCLEAR` is added to `rejected` for each dropped
    part.
    """
    votes: dict[str, Counter[PriceFormat]] = defaultdict(Counter)
    for event in events:
        for book in event.bookmakers:
            votes[book.key].update(filter(None, map(infer_price_format, book.markets)))
    response_format = _majority_format(sum(votes.values(), Counter[PriceFormat]()))
    contradicting = {
        key
        for key, book_votes in votes.items()
        if response_format and book_votes and 2 * book_votes[response_format] <= book_votes.total()
    }
    kept = [_drop_unclear_books(event, response_format, contradicting, rejected) for event in events]
    return events if all(map(_is_same_object, kept, events)) else kept


def infer_price_format(market: RawMarket) -> PriceFormat | None:
    """The only format that fits the prices of a book in a market; None if inconclusive."""
    prices = [outcome.price for outcome in market.outcomes if outcome.price is not None]
    if any(price < -1 for price in prices):
        return PriceFormat.AMERICAN if all(abs(price) >= AMERICAN_EVEN_MONEY for price in prices) else None
    if _sum_implied_probabilities(prices) >= MIN_DECIMAL_BOOKSUM:
        return None if _has_mixed_formats(market.key, prices) else PriceFormat.DECIMAL
    if any(1 <= price < AMERICAN_EVEN_MONEY for price in prices):
        return None
    long = [price for price in prices if price >= AMERICAN_EVEN_MONEY]
    return PriceFormat.AMERICAN if long and _is_american(market.key, long) else None


def _sum_implied_probabilities(prices: Sequence[float]) -> float:
    """The sum of the probabilities that decimal prices imply."""
    return sum(1 / price for price in prices if price >= 1)


def _has_mixed_formats(key: str, prices: Sequence[float]) -> bool:
    """Whether prices above 100 only fit those below if read as American (150 next to 1.9)."""
    long, short = [p for p in prices if p >= AMERICAN_EVEN_MONEY], [p for p in prices if 1 < p < AMERICAN_EVEN_MONEY]
    if (
        key not in MATCH_MARKETS
        or len(prices) > MAX_MATCH_OUTCOMES
        or not long
        or not short
        or _sum_implied_probabilities(prices) >= AMERICAN_BOOKSUM_RANGE[0]
    ):
        return False
    return (
        MIXED_FORMAT_SHARE
        <= _sum_implied_probabilities(short)
        + sum(AMERICAN_EVEN_MONEY / (price + AMERICAN_EVEN_MONEY) for price in long)
        <= AMERICAN_BOOKSUM_RANGE[1]
    )


def _is_american(key: str, prices: Sequence[float]) -> bool:
    """Whether prices, all above 100, cannot be decimal."""
    implied = sum(AMERICAN_EVEN_MONEY / (price + AMERICAN_EVEN_MONEY) for price in prices)
    if key in MATCH_MARKETS and len(prices) <= MAX_MATCH_OUTCOMES:
        return AMERICAN_BOOKSUM_RANGE[0] <= implied <= AMERICAN_BOOKSUM_RANGE[1]
    if key == OUTRIGHTS and implied > MAX_OUTRIGHTS_BOOKSUM:
        return False
    return not all(price % 5 == 1 for price in prices)


def _majority_format(votes: Counter[PriceFormat]) -> PriceFormat | None:
    if not votes:
        return None
    return PriceFormat.AMERICAN if votes[PriceFormat.AMERICAN] > votes[PriceFormat.DECIMAL] else PriceFormat.DECIMAL


def _drop_unclear_books(
    event: RawEventOdds, response_format: PriceFormat | None, contradicting: set[str], rejected: list[str]
) -> RawEventOdds:
    books: list[RawBookmaker] = []
    for book in event.bookmakers:
        if book.key in contradicting:
            rejected.append(PRICE_FORMAT_UNCLEAR)
            continue
        markets = [market for market in book.markets if _is_readable(market, response_format)]
        rejected += [PRICE_FORMAT_UNCLEAR] * (len(book.markets) - len(markets))
        books.append(book if len(markets) == len(book.markets) else replace(book, markets=markets))
    return (
        event
        if len(books) == len(event.bookmakers) and all(map(_is_same_object, books, event.bookmakers))
        else (replace(event, bookmakers=books))
    )


def _is_readable(market: RawMarket, response_format: PriceFormat | None) -> bool:
    if (inferred := infer_price_format(market)) is not None:
        return inferred is response_format
    prices = [outcome.price for outcome in market.outcomes if outcome.price is not None]
    # values that are not American prices are rejected one by one
    if response_format is PriceFormat.AMERICAN:
        return True
    if _has_mixed_formats(market.key, prices) or (
        min(prices, default=0) < -1 and _sum_implied_probabilities(prices) < MIN_DECIMAL_BOOKSUM
    ):
        return False
    if all(price < AMERICAN_EVEN_MONEY for price in prices):
        return True
    return response_format is not None and (
        market.key not in MATCH_MARKETS or any(1 <= price < AMERICAN_EVEN_MONEY for price in prices)
    )


def _is_same_object(one: object, other: object) -> bool:
    return one is other
