"""In which format a recorded answer writes its prices, which it does not say: told by what its markets can only mean.

The prices of a market imply probabilities that add up to 1 and a book's margin. Prices of two or three outcomes that do
so in one reading, all of them above 100 or below -100 or all of them from 1 on, do not in the other (150, 220 and 190
are 1.06 as American prices and 0.017 as decimal ones). Each such market of a book is one vote, the majority decides,
and a book that contradicts it is left out: neither reading of it is known to be true. Odd values have no vote.

Undecidable: a list of outrights, all above 100, where no other market tells. It is taken for American,
unless all end in 1 or 6, as long decimal prices do, or add up to more than `OUTRIGHTS_AT_MOST`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge_assets.feeds.odds_api.numbers import EVEN, PriceFormat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge_assets.feeds.replay.bodies import Bookmaker, EventOdds, Market

UNCLEAR = "price_format_unclear"
HALF_A_MARKET = 0.5
"""The least that decimal prices of a market imply together, some outcomes suspended; American ones, read so, imply a
few hundredths."""
COMPLETE = (0.9, 1.5)
"""What American prices of a market of two or three outcomes imply together."""
MIXED_FROM = 0.75
"""What prices of both formats in one market imply together at least, each read in its own."""
OUTRIGHTS_AT_MOST = 2.0
WINNERS = 3
"""As many outcomes as a match can have; more are several lines."""
OUTRIGHTS = "outrights"
CLOSED = frozenset({"h2h", "spreads", "totals"})


def price_format_of(events: Iterable[EventOdds]) -> PriceFormat | None:
    """How an answer writes prices, by most of its markets; None where none tells."""
    votes = Counter(
        vote for event in events for book in event.bookmakers for vote in map(told_by, book.markets) if vote
    )
    return _most(votes)


def without_unclear(events: Sequence[EventOdds], rejected: list[str]) -> Sequence[EventOdds]:
    """The same events without the books and markets that cannot be read in the format of the answer.

    They are the very same ones where nothing is left out; `UNCLEAR` is added to `rejected` for each part that is.
    """
    votes: dict[str, Counter[PriceFormat]] = defaultdict(Counter)
    for event in events:
        for book in event.bookmakers:
            votes[book.key].update(filter(None, map(told_by, book.markets)))
    answer = _most(sum(votes.values(), Counter[PriceFormat]()))
    against = {key for key, told in votes.items() if answer and told and 2 * told[answer] <= told.total()}
    kept = [_kept(event, answer, against, rejected) for event in events]
    return events if all(map(_is, kept, events)) else kept


def told_by(market: Market) -> PriceFormat | None:
    """The only format in which the prices of a book in a market can be meant; None where it does not tell."""
    prices = [outcome.price for outcome in market.outcomes if outcome.price is not None]
    if any(price < -1 for price in prices):
        return PriceFormat.AMERICAN if all(abs(price) >= EVEN for price in prices) else None
    if _implied(prices) >= HALF_A_MARKET:
        return None if _is_mixed(market.key, prices) else PriceFormat.DECIMAL
    if any(1 <= price < EVEN for price in prices):
        return None
    long = [price for price in prices if price >= EVEN]
    return PriceFormat.AMERICAN if long and _is_american(market.key, long) else None


def _implied(prices: Sequence[float]) -> float:
    """The probabilities that decimal prices imply, together."""
    return sum(1 / price for price in prices if price >= 1)


def _is_mixed(key: str, prices: Sequence[float]) -> bool:
    """Whether prices above 100 make no market with those below, but do as American ones (150 beside 1.9)."""
    long, short = [p for p in prices if p >= EVEN], [p for p in prices if 1 < p < EVEN]
    if key not in CLOSED or len(prices) > WINNERS or not long or not short or _implied(prices) >= COMPLETE[0]:
        return False
    return MIXED_FROM <= _implied(short) + sum(EVEN / (price + EVEN) for price in long) <= COMPLETE[1]


def _is_american(key: str, prices: Sequence[float]) -> bool:
    """Whether prices, all of them above 100, can be no decimal ones."""
    implied = sum(EVEN / (price + EVEN) for price in prices)
    if key in CLOSED and len(prices) <= WINNERS:
        return COMPLETE[0] <= implied <= COMPLETE[1]
    if key == OUTRIGHTS and implied > OUTRIGHTS_AT_MOST:
        return False
    return not all(price % 5 == 1 for price in prices)


def _most(votes: Counter[PriceFormat]) -> PriceFormat | None:
    if not votes:
        return None
    return PriceFormat.AMERICAN if votes[PriceFormat.AMERICAN] > votes[PriceFormat.DECIMAL] else PriceFormat.DECIMAL


def _kept(event: EventOdds, answer: PriceFormat | None, against: set[str], rejected: list[str]) -> EventOdds:
    books: list[Bookmaker] = []
    for book in event.bookmakers:
        if book.key in against:
            rejected.append(UNCLEAR)
            continue
        markets = [market for market in book.markets if _is_readable(market, answer)]
        rejected += [UNCLEAR] * (len(book.markets) - len(markets))
        books.append(book if len(markets) == len(book.markets) else replace(book, markets=markets))
    return (
        event
        if len(books) == len(event.bookmakers) and all(map(_is, books, event.bookmakers))
        else (replace(event, bookmakers=books))
    )


def _is_readable(market: Market, answer: PriceFormat | None) -> bool:
    if (told := told_by(market)) is not None:
        return told is answer
    prices = [outcome.price for outcome in market.outcomes if outcome.price is not None]
    # other ones are refused one by one: nobody can bet at them as American prices
    if answer is PriceFormat.AMERICAN:
        return True
    if _is_mixed(market.key, prices) or (min(prices, default=0) < -1 and _implied(prices) < HALF_A_MARKET):
        return False
    if all(price < EVEN for price in prices):
        return True
    return answer is not None and (market.key not in CLOSED or any(1 <= price < EVEN for price in prices))


def _is(one: object, other: object) -> bool:
    return one is other
