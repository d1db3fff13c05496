"""Responses about single events, mixed with those about whole sports."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from edge_assets.store.polls import as_of
from edge_assets.store.postgres.database import connect
from tests.support.football_files import rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
NFL = "americanfootball_nfl"
Offers = dict[str, dict[str, tuple[float, float]]]
"""Prices of two outcomes by book and market."""


def event(key: str, offers: Mapping[str, Mapping[str, tuple[float, float]]], minute: int = 0) -> dict[str, Any]:
    updated = f"{NOON + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": key,
        "sport_key": NFL,
        "sport_title": "NFL",
        "commence_time": "2025-11-04T01:00:00Z",
        "home_team": f"Home {key}",
        "away_team": f"Away {key}",
        "bookmakers": [
            {
                "key": book,
                "title": book.title(),
                "markets": [
                    {"key": market, "last_update": updated, "outcomes": outcomes(key, market, *prices)}
                    for market, prices in markets.items()
                ],
            }
            for book, markets in offers.items()
        ],
    }


def outcomes(key: str, market: str, first: float, second: float) -> list[dict[str, Any]]:
    names = (f"Away {key}", f"Home {key}") if market == "h2h" else ("Yes", "No")
    return [{"name": name, "price": price} for name, price in zip(names, (first, second), strict=True)]


def write(path: Path, minute: int, body: Any, *, historical: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    at = NOON + timedelta(minutes=minute)
    if historical:
        body = {
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "previous_timestamp": None,
            "next_timestamp": None,
            "data": body,
        }
        path = path.with_suffix(".json")
    else:
        path = path.with_name(f"{path.name}_{at:%Y%m%dT%H%M%SZ}.json")
    path.write_text(json.dumps(body))
    return path


def run(url: str, *paths: Path) -> ImportReport:
    with Importer(url, "run-1") as importer:
        return importer.run(Source.ODDS_API, paths)


def states(url: str) -> list[set[tuple[Any, ...]]]:
    """The quotes on offer at each poll: event, book, market, price."""
    with connect(url, "test") as conn:
        events: dict[int, str] = dict(conn.execute("SELECT id, key FROM events").fetchall())
        books: dict[int, str] = dict(conn.execute("SELECT id, key FROM books").fetchall())
        markets: dict[int, str] = dict(conn.execute("SELECT id, key FROM markets").fetchall())
        polls = conn.execute("SELECT id FROM polls ORDER BY observed_at").fetchall()
        found = [as_of.load_last_quotes(conn, 1, poll)[0] for (poll,) in polls]
    return [
        {
            (events[event], books[book], markets[market], price)
            for event, book, market, _, _, price, _ in zip(*(c.tolist() for c in quotes.columns()), strict=True)
        }
        for quotes in found
    ]


def expand_pairs(prices: Mapping[tuple[str, str, str], tuple[float, float]]) -> set[tuple[Any, ...]]:
    return {(*key, price) for key, pair in prices.items() for price in pair}


def test_a_single_event_poll_leaves_other_events_and_uncovered_markets(database_url: str, tmp_path: Path) -> None:
    both: Offers = {"acme": {"h2h": (1.9, 1.95)}, "other": {"h2h": (1.8, 2.0)}}
    write(tmp_path / "a/all", 0, [event("e1", both), event("e2", both)])
    write(tmp_path / "a/one", 10, event("e1", {"acme": {"h2h": (2.1, 1.75), "btts": (1.7, 2.2)}}, 10))
    write(tmp_path / "a/all", 20, [event("e1", both, 20), event("e2", both, 20)])
    assert run(database_url, tmp_path / "a").as_json()["rejected"] == {}
    untouched = expand_pairs(
        {("e1", "other", "h2h"): (1.8, 2.0)} | {("e2", b, "h2h"): p["h2h"] for b, p in both.items()}
    )
    props = expand_pairs({("e1", "acme", "btts"): (1.7, 2.2)})
    _, one, every = states(database_url)
    assert one == untouched | props | expand_pairs({("e1", "acme", "h2h"): (2.1, 1.75)})
    # a response about the sport cannot contain the other market, so it does not withdraw it
    assert every == untouched | props | expand_pairs({("e1", "acme", "h2h"): (1.9, 1.95)})
    assert rows(database_url, "SELECT ticks, withdrawals FROM polls ORDER BY observed_at") == [(8, 0), (4, 0), (2, 0)]


def test_a_listed_market_missing_from_a_listed_book_is_withdrawn(database_url: str, tmp_path: Path) -> None:
    write(tmp_path / "one", 0, event("e1", {b: {"h2h": (1.9, 1.95), "btts": (1.7, 2.2)} for b in ("acme", "other")}))
    write(tmp_path / "one", 10, event("e1", {"acme": {"h2h": (1.9, 1.95)}, "other": {"btts": (1.7, 2.2)}}, 10))
    write(tmp_path / "one", 20, event("e1", {}, 20))
    run(database_url, tmp_path)
    left = expand_pairs({("e1", "acme", "h2h"): (1.9, 1.95), ("e1", "other", "btts"): (1.7, 2.2)})
    assert states(database_url)[1:] == [left, left]


def test_uncovered_quotes_keep_their_age(database_url: str, tmp_path: Path) -> None:
    both = {book: {"h2h": (1.9, 1.95)} for book in ("acme", "other")}
    write(tmp_path / "all", 0, [event("e1", both)])
    write(tmp_path / "one", 10, event("e1", {"acme": {"h2h": (1.9, 1.95)}}, 10))
    run(database_url, tmp_path)
    with connect(database_url, "test") as conn:
        found = as_of.load_quotes_as_of(conn, 1, NOON + timedelta(minutes=15))
        names: dict[int, str] = dict(conn.execute("SELECT id, key FROM books").fetchall())
    ages = {names[book]: age for book, age in zip(found.quotes.book.tolist(), found.age_seconds.tolist(), strict=True)}
    assert ages == {"acme": 300, "other": 900}


def test_one_historical_timestamp_may_have_sport_and_single_event_responses(database_url: str, tmp_path: Path) -> None:
    one: Offers = {"acme": {"h2h": (1.9, 1.95)}}
    write(tmp_path / "a/sport", 0, [event("e1", one), event("e2", one)], historical=True)
    write(tmp_path / "a/props", 0, event("e1", {"acme": {"btts": (1.7, 2.2)}}), historical=True)
    write(tmp_path / "a/halves", 0, event("e1", {"acme": {"h2h_h1": (1.6, 2.4)}}), historical=True)
    write(tmp_path / "a/others", 0, event("e2", {"acme": {"btts": (1.5, 2.6)}}), historical=True)
    assert run(database_url, tmp_path / "a").as_json()["rejected"] == {}
    assert len(states(database_url)[-1]) == 10
    times = [at for (at,) in rows(database_url, "SELECT observed_at FROM polls ORDER BY 1")]
    assert times[0] == NOON
    assert all(NOON < at < NOON + timedelta(seconds=1) for at in times[1:])
    (tmp_path / "again").mkdir()
    (tmp_path / "again/x.json").write_text((tmp_path / "a/props.json").read_text())
    assert (run(database_url, tmp_path / "again").ticks, len(states(database_url))) == (0, 4)


BOTH: Offers = {"acme": {"h2h": (1.9, 1.95)}, "other": {"h2h": (1.8, 2.0)}}
SCENARIO: list[tuple[int, Any]] = [
    (0, [event("e1", BOTH), event("e2", BOTH)]),
    (5, event("e1", {"acme": {"btts": (1.7, 2.2)}}, 5)),
    (10, event("e1", {"acme": {"h2h": (2.1, 1.75), "btts": (1.6, 2.4)}}, 10)),
    (20, event("e2", {"other": {"h2h": (1.7, 2.15)}, "acme": {"h2h": (1.9, 1.95)}}, 20)),
    (30, [event("e1", {"acme": {"h2h": (2.2, 1.7)}}, 30), event("e2", BOTH, 30)]),
    (40, event("e1", {"acme": {"btts": (1.7, 2.2)}, "other": {"h2h": (1.8, 2.0)}}, 40)),
]


@pytest.mark.parametrize("order", [(0, 4, 2, 3, 5, 1), (5, 4, 3, 2, 1, 0), (3, 5, 1, 0, 2, 4), (0, 1, 4, 5, 3, 2)])
def test_the_order_of_imports_does_not_affect_the_offers(
    database_url: str, either_url: str, tmp_path: Path, order: tuple[int, ...]
) -> None:
    for minute, body in SCENARIO:
        write(tmp_path / "all/x", minute, body)
    run(database_url, tmp_path / "all")
    files = sorted((tmp_path / "all").iterdir())
    for index in order:
        run(either_url, files[index])
    assert states(either_url) == states(database_url)
    ages = [age_of(url, 25) for url in (database_url, either_url)]
    assert ages[0] == ages[1]


def age_of(url: str, minute: int) -> list[tuple[Any, ...]]:
    """Book, market, price and age of the quotes on the first event."""
    with connect(url, "test") as conn:
        [(number,)] = conn.execute("SELECT id FROM events WHERE key = 'e1'").fetchall()
        found = as_of.load_quotes_as_of(conn, number, NOON + timedelta(minutes=minute))
        keys: dict[int, str] = dict(conn.execute("SELECT id, key FROM books").fetchall())
    quotes = found.quotes
    columns = (quotes.market.tolist(), quotes.price.tolist(), found.age_seconds.tolist())
    return sorted(zip(map(keys.__getitem__, quotes.book.tolist()), *columns, strict=True))


def test_bodies_without_odds_are_rejected_and_counted(database_url: str, tmp_path: Path) -> None:
    one: Offers = {"acme": {"h2h": (1.9, 1.95)}}
    bare = {name: value for name, value in event("e1", {}).items() if name != "bookmakers"}
    lister = event("e1", one) | {"bookmakers": [{"key": "acme", "title": "Acme", "markets": [{"key": "btts"}]}]}
    bodies = {
        "events": [bare],
        "event": bare,
        "scores": [bare | {"completed": False, "scores": None, "last_update": None}],
        "sports": [
            {"key": NFL, "group": "x", "title": "NFL", "description": "", "active": True, "has_outrights": False}
        ],
        "markets": lister,
        "history": {"timestamp": "2025-11-03T12:00:00Z", "data": [bare]},
        "error": {"message": "API key is not valid", "error_code": "INVALID_KEY", "details_url": "https://x"},
        "version3": {"success": True, "data": []},
    }
    for name, body in bodies.items():
        write(tmp_path / "a" / name, 0, body)
    write(tmp_path / "a/odds", 0, event("e1", one))
    report = run(database_url, tmp_path / "a")
    assert report.as_json()["rejected"] == {"no_list_of_events_with_odds": 7, "an_error_of_the_API": 1}
    assert "INVALID_KEY: API key is not valid" in " ".join(map(str, report.rejected.examples))
    assert (report.files, report.ticks) == (1, 2)
    with connect(database_url, "test") as conn:
        assert conn.execute("SELECT count(*) FROM polls").fetchone() == (1,)


def test_an_unusable_event_is_counted(database_url: str, tmp_path: Path) -> None:
    write(tmp_path / "a/one", 0, event("e1", {"acme": {"h2h": (1.9, 1.95)}}) | {"commence_time": "soon"})
    report = run(database_url, tmp_path / "a")
    assert (report.as_json()["rejected"], report.ticks) == ({"malformed_event": 1}, 0)
