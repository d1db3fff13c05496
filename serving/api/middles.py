"""Middles on offer now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from edge_assets.store import board
from edge_assets.store.weights import weights_at
from edge_assets.traits import traits
from ml.points import point_models
from ml.quotes import OUTCOMES_OF, Market
from ml.scoring.lines import selection_point
from ml.scoring.middles import middles
from ml.settlement import Agreement, agreement
from serving.api.models import Middles, Problem
from serving.api.odds import RULES, latest_poll, offer_of
from serving.api.prices import Names, valuations
from serving.deps import Held, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

    from ml.scoring.lines import LineKey
    from ml.scoring.middles import Middle
    from serving.api.prices import Valued

router = APIRouter(prefix="/api", tags=["odds"], responses={404: {"model": Problem}, 503: {"model": Problem}})


@router.get("/middles")
def middles_on_offer(
    held: Held,
    store: Store,
    sport: Annotated[str, Query(description="an alias such as `nfl`, or the feed's key")],
    min_value: Annotated[float, Query(ge=0, le=1, description="least expected value, a fraction")] = 0.0,
    rules: Annotated[
        Agreement | None, Query(description="whether the books settle alike: `same` leaves out what is not known")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Middles:
    """Two bets at different points that can both win, the highest expected value first.

    Computed from the latest poll's prices, and no alerts. Books whose rules are known to differ are not paired; where
    not all of them are known it says `unknown`.
    """
    latest = latest_poll(store, sport)
    found = _found(store, latest, held.settings.edge_book_weights) if latest["poll_id"] is not None else []
    kept = [m for m in found if m["expected_value"] >= min_value and rules in {None, m["rules"]}]
    return Middles.model_validate(latest | {"count": len(kept), "middles": kept[:limit]})


def _found(store: Connection, latest: Mapping[str, Any], weights: Mapping[str, float]) -> list[dict[str, Any]]:
    """All of them, the best first."""
    sport, offer = latest["sport"], offer_of(store, latest, None)
    names = Names(board.books(store), board.events(store, set(offer.quotes.event.tolist())))
    published = weights_at(store, board.sports(store)[sport].id, latest["observed_at"]).weights
    models = point_models(sport)
    return [
        _middle(middle, valued, names, sport)
        for valued in valuations(sport, offer, names, RULES, {**published, **weights})
        for middle in middles(valued.value, valued.books, models, offer.now, RULES)
    ]


def _middle(middle: Middle, valued: Valued, names: Names, sport: str) -> dict[str, Any]:
    legs = list(_legs(middle, valued, names))
    key = _key(valued, middle.over[0])
    market, event = Market(key.market), names.events[key.event]
    rules = [traits(book, {}, sport).rules_of(market) for book in {leg["book"] for leg in legs}]
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


def _legs(middle: Middle, valued: Valued, names: Names) -> Iterator[dict[str, Any]]:
    for column, ((line, book), share) in enumerate(
        zip((middle.over, middle.under), middle.stake_fractions, strict=True)
    ):
        key = _key(valued, line)
        outcome = OUTCOMES_OF[Market(key.market)][column]
        yield {
            "outcome": outcome.key,
            "selection": names.selection(key.event, outcome),
            "point": selection_point(key, column),
            "book": valued.named[book].key,
            "book_title": valued.named[book].title,
            "price": float(valued.value.lines.price[column, line, book]),
            "stake_fraction": share,
        }


def _key(valued: Valued, line: int) -> LineKey:
    key = valued.keys[line]
    if key is None:
        msg = f"line {line} was valued, and its row of the matrix is free"
        raise AssertionError(msg)
    return key
