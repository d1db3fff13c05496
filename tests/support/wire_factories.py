"""Payloads in the shape of captured ones, written by hand."""

from __future__ import annotations

from typing import Any

import msgspec

SPORT = "icehockey_nhl"
AT = "2026-03-01T12:00:00Z"
HOME, AWAY = "Montréal Canadiens", "St Louis Blues"
Json = dict[str, Any]


def outcome(name: str, price: Any, point: Any = None, description: str | None = None) -> Json:
    optional = {"point": point, "description": description}
    return {"name": name, "price": price} | {k: v for k, v in optional.items() if v is not None}


def market(key: str, *outcomes: Any, at: Any = AT) -> Json:
    stated = {} if at is None else {"last_update": at}
    return {"key": key, **stated, "outcomes": list(outcomes)}


def h2h(home: Any = 1.9, away: Any = 2.0, draw: Any = None, *, key: str = "h2h", at: Any = AT) -> Json:
    third = [outcome("Draw", draw)] if draw else []
    return market(key, outcome(HOME, home), outcome(AWAY, away), *third, at=at)


def spreads(point: float = 1.5, home: float = 1.8, away: float = 2.1) -> Json:
    return market("spreads", outcome(AWAY, away, -point), outcome(HOME, home, point))


def totals(point: float = 5.5, over: float = 1.95, under: float = 1.95) -> Json:
    return market("totals", outcome("Over", over, point), outcome("Under", under, point))


def book(key: str, *markets: Any, at: Any = AT) -> Json:
    stated = {} if at is None else {"last_update": at}
    return {"key": key, "title": key.title(), **stated, "markets": list(markets)}


def event(*books: Any, number: int = 1, **changes: Any) -> Json:
    return {
        "id": f"{number:032x}",
        "sport_key": SPORT,
        "sport_title": "NHL",
        "commence_time": "2026-03-02T00:00:00Z",
        "home_team": HOME,
        "away_team": AWAY,
        "bookmakers": list(books),
    } | changes


def payload(*events: Any) -> bytes:
    return msgspec.json.encode(events)
