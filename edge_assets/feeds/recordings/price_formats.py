"""In which format a recorded answer writes its prices, which it does not say: told by what its markets can only mean.

The prices of a market imply probabilities that add up to 1 and a book's margin. Prices of two or three outcomes that do
so in one reading, all of them above 100 or below -100 or all of them from 1 on, do not in the other (150, 220 and 190
are 1.06 as American prices and 0.017 as decimal ones). Each such market of a book is one vote, the majority decides,
and a book that contradicts it is left out: neither reading of it is known to be true. Odd values have no vote.

Undecidable: a list of outrights, all above 100, where no other market tells. It is taken for American,
unless all end in 1 or 6, as long decimal prices do, or add up to more than `MAX_OUTRIGHTS_BOOKSUM`.
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
"""The least that decimal prices of a market imply together, some outcomes suspended; American ones, read so, imply a
few hundredths."""
AMERICAN_BOOKSUM_RANGE = (0.9, 1.5)
"""What American prices of a market of two or three outcomes imply together."""
MIXED_FORMAT_SHARE = 0.75
"""What prices of both formats in one market imply together at least, each read in its own."""
MAX_OUTRIGHTS_BOOKSUM = 2.0
MAX_MATCH_OUTCOMES = 3
"""As many outcomes as a match can have; more are several lines."""
OUTRIGHTS = "outrights"
MATCH_MARKETS = frozenset({"h2h", "spreads", "totals"})


def detect_price_format(events: Iterable[RawEventOdds]) -> PriceFormat | None:
    """How an answer writes prices, by most of its markets; None where none tells."""
    votes = Counter(
        vote for event in events for book in event.bookmakers for vote in map(infer_price_format, book.markets) if vote
    )
    return _majority_format(votes)


def drop_unclear_prices(events: Sequence[RawEventOdds], rejected: list[str]) -> Sequence[RawEventOdds]:
    """The same events without the books and markets that cannot be read in the format of the answer.

    They are the very same ones where nothing is left out; `PRICE_FORMAT_UNCLEAR` is added to `rejected` for each part
    that is.
    """
    votes: dict[str, Counter[PriceFormat]] = defaultdict(Counter)
    for event in events:
        for book in event.bookmakers:
            votes[book.key].update(filter(None, map(infer_price_format, book.markets)))
    answer_format = _majority_format(sum(votes.values(), Counter[PriceFormat]()))
    contradicting = {
        key
        for key, book_votes in votes.items()
        if answer_format and book_votes and 2 * book_votes[answer_format] <= book_votes.total()
    }
    kept = [_drop_unclear_books(event, answer_format, contradicting, rejected) for event in events]
    return events if all(map(_is_same_object, kept, events)) else kept


def infer_price_format(market: RawMarket) -> PriceFormat | None:
    """The only format in which the prices of a book in a market can be meant; None where it does not tell."""
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
    """The probabilities that decimal prices imply, together."""
    return sum(1 / price for price in prices if price >= 1)


def _has_mixed_formats(key: str, prices: Sequence[float]) -> bool:
    """Whether prices above 100 make no market with those below, but do as American ones (150 beside 1.9)."""
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
    """Whether prices, all of them above 100, can be no decimal ones."""
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
    event: RawEventOdds, answer_format: PriceFormat | None, contradicting: set[str], rejected: list[str]
) -> RawEventOdds:
    books: list[RawBookmaker] = []
    for book in event.bookmakers:
        if book.key in contradicting:
            rejected.append(PRICE_FORMAT_UNCLEAR)
            continue
        markets = [market for market in book.markets if _is_readable(market, answer_format)]
        rejected += [PRICE_FORMAT_UNCLEAR] * (len(book.markets) - len(markets))
        books.append(book if len(markets) == len(book.markets) else replace(book, markets=markets))
    return (
        event
        if len(books) == len(event.bookmakers) and all(map(_is_same_object, books, event.bookmakers))
        else (replace(event, bookmakers=books))
    )


def _is_readable(market: RawMarket, answer_format: PriceFormat | None) -> bool:
    if (inferred := infer_price_format(market)) is not None:
        return inferred is answer_format
    prices = [outcome.price for outcome in market.outcomes if outcome.price is not None]
    # other ones are refused one by one: nobody can bet at them as American prices
    if answer_format is PriceFormat.AMERICAN:
        return True
    if _has_mixed_formats(market.key, prices) or (
        min(prices, default=0) < -1 and _sum_implied_probabilities(prices) < MIN_DECIMAL_BOOKSUM
    ):
        return False
    if all(price < AMERICAN_EVEN_MONEY for price in prices):
        return True
    return answer_format is not None and (
        market.key not in MATCH_MARKETS or any(1 <= price < AMERICAN_EVEN_MONEY for price in prices)
    )


def _is_same_object(one: object, other: object) -> bool:
    return one is other
