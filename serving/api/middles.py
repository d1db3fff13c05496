"""Currently available middles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Query

from edge_assets.reference.book_profiles import book_profile
from edge_assets.store import lookups
from edge_assets.store.alerts.fair_prices import load_fair_prices
from ml.arbitrage import net_price
from ml.points import point_models_for
from ml.quotes import MARKET_OUTCOMES, Market
from ml.scoring.lines import LineKey, selection_point
from ml.scoring.middles import PricedLines, find_middles
from ml.scoring.rules import DEFAULT_RULES
from ml.settlement import RulesAgreement, agreement
from serving.api.models import ErrorResponse, Middles
from serving.api.odds import latest_poll, load_offered_quotes
from serving.api.prices import UNKNOWN_FAIR, DisplayNames, group_lines, index_fair_prices
from serving.deps import ConnectionDep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

    from ml.scoring.fair_prices import StatedFairPrices
    from ml.scoring.middles import MiddleBet
    from serving.api.prices import OfferedLines

router = APIRouter(
    prefix="/api", tags=["odds"], responses={404: {"model": ErrorResponse}, 503: {"model": ErrorResponse}}
)


@router.get("/middles")
def middles(
    conn: ConnectionDep,
    sport: Annotated[str, Query(description="an alias such as `nfl`, or the feed's key")],
    min_value: Annotated[float, Query(ge=0, le=1, description="minimum expected value, as a fraction")] = 0.0,
    rules: Annotated[
        RulesAgreement | None,
        Query(description="only where the books' rules agree (`same`) or are not all known (`unknown`)"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Middles:
    """Pairs of bets at different points that can both win, highest expected value first.

    Computed from the prices of the latest poll and the scorer's fair prices, so that there are none until it has scored
    that poll; middles raise no alerts. Books whose settlement rules are known to
    differ are not paired; the field `rules` shows where they are not all known.
    """
    latest = latest_poll(conn, sport)
    found = _find_middles(conn, latest) if latest["poll_id"] is not None else []
    kept = [m for m in found if m["expected_value"] >= min_value and rules in {None, m["rules"]}]
    return Middles.model_validate(latest | {"count": len(kept), "middles": kept[:limit]})


def _find_middles(conn: Connection, latest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All middles, the best first."""
    sport, offered = latest["sport"], load_offered_quotes(conn, latest, None)
    fair = load_fair_prices(conn, lookups.load_sports(conn)[sport].id, latest["poll_id"])
    names = DisplayNames(lookups.load_books(conn), lookups.load_events(conn, set(offered.quotes.event.tolist())))
    models = point_models_for(sport)
    return [
        _middle_row(middle, group, names, sport)
        for group in group_lines(sport, offered, names, DEFAULT_RULES)
        for middle in find_middles(_price_lines(group, fair), group.books, models, offered.now, DEFAULT_RULES)
    ]


def _price_lines(group: OfferedLines, fair: StatedFairPrices) -> PricedLines:
    price = net_price(group.lines.price, group.books.commission)
    by_line = index_fair_prices(fair.prices)
    found = [by_line.get(key, UNKNOWN_FAIR[len(price)]) for key in group.keys]
    outlying = {
        (LineKey(*line), book) for *line, book in zip(*(c.tolist() for c in fair.outlying.columns()), strict=True)
    }
    return PricedLines(
        group.lines,
        price,
        np.array([line.probability[0] for line in found]),
        np.array([line.sources for line in found]),
        np.array([[(key, book.id) in outlying for book in group.book_names] for key in group.keys]),
    )


def _middle_row(middle: MiddleBet, group: OfferedLines, names: DisplayNames, sport: str) -> dict[str, Any]:
    legs = list(_leg_rows(middle, group, names))
    key = group.keys[middle.over[0]]
    market, event = Market(key.market), names.events[key.event]
    rules = [book_profile(book, {}, sport).rules_for(market) for book in {leg["book"] for leg in legs}]
    return {
        "event_id": event.id,
        "event": event.key,
        "home_team": event.home_team,
        "away_team": event.away_team,
        "commence_at": event.commence_at,
        "market": market.key,
        "rules": agreement(rules).value,
        "legs": legs,
        "expected_value": middle.expected_value,
        "guaranteed_return": middle.guaranteed_return,
        "best_return": middle.best_return,
        "middle_probability": middle.middle_probability,
        "break_even": middle.break_even,
    }


def _leg_rows(middle: MiddleBet, group: OfferedLines, names: DisplayNames) -> Iterator[dict[str, Any]]:
    for column, ((line, book), share) in enumerate(
        zip((middle.over, middle.under), middle.stake_fractions, strict=True)
    ):
        key = group.keys[line]
        outcome = MARKET_OUTCOMES[Market(key.market)][column]
        yield {
            "outcome": outcome.key,
            "selection": names.selection_name(key.event, outcome),
            "point": selection_point(key, column),
            "book": group.book_names[book].key,
            "book_title": group.book_names[book].title,
            "price": float(group.lines.price[column, line, book]),
            "stake_fraction": share,
        }
