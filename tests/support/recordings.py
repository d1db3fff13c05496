"""Hand-written payloads of two sports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

NFL = "americanfootball_nfl"
EPL = "soccer_epl"
GAME = "a" * 32
DERBY = "b" * 32
LATER = "c" * 32


class Serve(Protocol):
    """Serves a recording and returns a client with a key."""

    def __call__(self, recording: Any, **options: Any) -> httpx2.Client: ...


def book(key: str, markets: dict[str, list[dict[str, Any]]], updated: str = "2025-11-03T12:00:00Z") -> dict[str, Any]:
    return {
        "key": key,
        "title": key.title(),
        "last_update": updated,
        "markets": [{"key": k, "last_update": updated, "outcomes": v} for k, v in markets.items()],
    }


def event(event_id: str, sport: str, start: str, books: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": event_id,
        "sport_key": sport,
        "sport_title": "NFL" if sport == NFL else "EPL",
        "commence_time": start,
        "home_team": f"Home {event_id[0]}",
        "away_team": f"Away {event_id[0]}",
        "bookmakers": books,
    }


def two_way(home: float, away: float) -> list[dict[str, Any]]:
    return [{"name": "Away a", "price": away}, {"name": "Home a", "price": home}]


def nfl_body(home: int) -> list[dict[str, Any]]:
    """American prices; one US book, one EU book, one that nobody knows."""
    totals = [{"name": "Over", "price": -110, "point": 47.5}, {"name": "Under", "price": -110, "point": 47.5}]
    books = [
        book("draftkings", {"h2h": two_way(home, 150), "totals": totals}),
        book("pinnacle", {"h2h": two_way(home + 2, 152)}),
        book("brand_new_book", {"totals": totals}),
    ]
    return [event(GAME, NFL, "2025-11-03T18:00:00Z", books), event(LATER, NFL, "2025-11-10T18:00:00Z", [])]


def epl_body(home: float) -> list[dict[str, Any]]:
    """Decimal prices; an exchange with lay prices, and a market that only the event endpoint serves."""
    draw = [{"name": "Away b", "price": 4}, {"name": "Home b", "price": home}, {"name": "Draw", "price": 3.5}]
    books = [
        book("smarkets", {"h2h": draw, "h2h_lay": draw}),
        book("skybet", {"h2h": draw, "btts": [{"name": "Yes", "price": 1.8}]}),
    ]
    return [event(DERBY, EPL, "2025-11-03T15:00:00Z", books)]


def write(folder: Path, name: str, body: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body), encoding="utf-8")
    return path
