"""Alerts that are open now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from psycopg import Connection

from edge_assets.store import alerts, board
from ml.scoring.alerts import Kind
from ml.settlement import Agreement
from serving.api.models import OpenAlerts, Problem
from serving.api.sports import resolve_book, resolve_sport
from serving.deps import Store

Sport = Annotated[str | None, Query(description="an alias such as `nfl`, or the feed's key")]
Book = Annotated[str | None, Query(description="the key of a book; for an arbitrage, of any of its legs")]
Limit = Annotated[int, Query(ge=1, le=1000)]

router = APIRouter(prefix="/api", tags=["alerts"], responses={404: {"model": Problem}, 503: {"model": Problem}})


@router.get("/value-bets")
def value_bets(
    store: Store,
    sport: Sport = None,
    min_edge: Annotated[float, Query(ge=0, le=1, description="least edge, a fraction")] = 0.0,
    book: Book = None,
    limit: Limit = 200,
) -> OpenAlerts:
    """Prices that are better than fair right now, those first whose value has the highest lower end."""
    answer = _open(store, "value", sport, book)
    found = [a for a in answer["alerts"] if a["edge"] >= min_edge]
    return _best(answer, found, "expected_value_low", limit)


@router.get("/likely-errors")
def likely_errors(store: Store, sport: Sport = None, book: Book = None, limit: Limit = 200) -> OpenAlerts:
    """Prices too good to be true right now: likely errors, which the book may void. The largest value first.

    One with `legs` is an "arbitrage" at a single book, or at it and its copies.
    """
    answer = _open(store, "likely_error", sport, book)
    return _best(answer, answer["alerts"], "expected_value", limit)


@router.get("/arbitrage")
def arbitrages(
    store: Store,
    sport: Sport = None,
    min_edge: Annotated[float, Query(ge=0, le=1, description="least guaranteed return, a fraction")] = 0.0,
    book: Book = None,
    rules: Annotated[
        Agreement | None, Query(description="whether the books settle alike: `same` leaves out what is not known")
    ] = None,
    limit: Limit = 200,
) -> OpenAlerts:
    """Sets of bets that win whatever happens, the largest guaranteed return first.

    Where the books' rules are known to differ there is no alert; where they are `unknown`, it says so.
    """
    answer = _open(store, "arbitrage", sport, book)
    found = [a for a in answer["alerts"] if a["expected_value"] >= min_edge and rules in {None, a["rules"]}]
    return _best(answer, found, "expected_value", limit)


def _open(store: Connection, kind: Kind, sport: str | None, book: str | None) -> dict[str, Any]:
    """Open alerts, with a `last_id` read before them: the stream repeats rather than skips."""
    key = resolve_sport(sport, board.sports(store)) if sport is not None else None
    at = resolve_book(book, {b.key for b in board.books(store).values()}) if book is not None else None
    head = {"last_id": board.last_alert_id(store), "feed": board.feed(store)}
    found = alerts.open_alerts(store, kind, key)
    return head | {"alerts": [a for a in found if at is None or at in _books(a)]}


def _books(alert: dict[str, Any]) -> set[str]:
    """The books at which one bets."""
    return {leg["book"] for leg in alert["legs"]} if alert["legs"] else {alert["book"]}


def _best(answer: dict[str, Any], found: list[dict[str, Any]], by: str, limit: int) -> OpenAlerts:
    found.sort(key=lambda a: (-a[by], a["id"]))
    return OpenAlerts.model_validate(answer | {"count": len(found), "alerts": found[:limit]})
