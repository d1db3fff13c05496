"""Open alerts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from psycopg import Connection

from edge_assets.store import lookups
from edge_assets.store.alerts import alert_log
from ml.scoring.alerts import AlertKind
from ml.settlement import RulesAgreement
from serving.api.models import ErrorResponse, OpenAlerts
from serving.api.sports import resolve_book, resolve_sport
from serving.deps import ConnectionDep

SportQuery = Annotated[str | None, Query(description="an alias such as `nfl`, or the feed's key")]
BookQuery = Annotated[str | None, Query(description="a book's key; for an arbitrage, the book of any leg")]
LimitQuery = Annotated[int, Query(ge=1, le=1000)]

router = APIRouter(
    prefix="/api", tags=["alerts"], responses={404: {"model": ErrorResponse}, 503: {"model": ErrorResponse}}
)


@router.get("/value-bets")
def value_bets(
    conn: ConnectionDep,
    sport: SportQuery = None,
    min_edge: Annotated[float, Query(ge=0, le=1, description="minimum edge, as a fraction")] = 0.0,
    book: BookQuery = None,
    limit: LimitQuery = 200,
) -> OpenAlerts:
    """Open value bets, highest lower end of the expected value first."""
    response = _load_open_alerts(conn, "value", sport, book)
    found = [a for a in response["alerts"] if a["edge"] >= min_edge]
    return _top(response, found, "expected_value_low", limit)


@router.get("/likely-errors")
def likely_errors(
    conn: ConnectionDep, sport: SportQuery = None, book: BookQuery = None, limit: LimitQuery = 200
) -> OpenAlerts:
    """Prices too good to be true: likely pricing errors, which the book may void. Highest expected value first.

    An alert with `legs` is an "arbitrage" at a single book, or at a book and its copies.
    """
    response = _load_open_alerts(conn, "likely_error", sport, book)
    return _top(response, response["alerts"], "expected_value", limit)


@router.get("/arbitrage")
def arbitrages(
    conn: ConnectionDep,
    sport: SportQuery = None,
    min_edge: Annotated[float, Query(ge=0, le=1, description="minimum guaranteed return, as a fraction")] = 0.0,
    book: BookQuery = None,
    rules: Annotated[
        RulesAgreement | None,
        Query(description="only where the books' rules agree (`same`) or are not all known (`unknown`)"),
    ] = None,
    limit: LimitQuery = 200,
) -> OpenAlerts:
    """Sets of bets that profit whatever the result, highest guaranteed return first.

    Suppressed where the books' settlement rules are known to differ; the field `rules` shows where they are not all
    known.
    """
    response = _load_open_alerts(conn, "arbitrage", sport, book)
    found = [a for a in response["alerts"] if a["expected_value"] >= min_edge and rules in {None, a["rules"]}]
    return _top(response, found, "expected_value", limit)


def _load_open_alerts(conn: Connection, kind: AlertKind, sport: str | None, book: str | None) -> dict[str, Any]:
    """Open alerts, with a `last_id` read before them: the stream repeats rather than skips."""
    key = resolve_sport(sport, lookups.load_sports(conn)) if sport is not None else None
    book_key = resolve_book(book, {b.key for b in lookups.load_books(conn).values()}) if book is not None else None
    head = {"last_id": lookups.load_last_alert_id(conn), "feed": lookups.find_live_feed(conn)}
    found = alert_log.load_open_alert_messages(conn, kind, key)
    return head | {"alerts": [a for a in found if book_key is None or book_key in _books_of(a)]}


def _books_of(alert: dict[str, Any]) -> set[str]:
    """The books at which to bet."""
    return {leg["book"] for leg in alert["legs"]} if alert["legs"] else {alert["book"]}


def _top(response: dict[str, Any], found: list[dict[str, Any]], by: str, limit: int) -> OpenAlerts:
    found.sort(key=lambda a: (-a[by], a["id"]))
    return OpenAlerts.model_validate(response | {"count": len(found), "alerts": found[:limit]})
