"""Partial captures are completed with earlier offers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from edge_assets.feeds.recordings.recording import Recording
from ml.quotes.coverage import MIN_REPEATS

if TYPE_CHECKING:
    from pathlib import Path

Events: TypeAlias = "dict[str, tuple[str, ...]]"
BOTH: Events = {"e1": ("a", "b", "c"), "e2": ("a", "b", "c")}
PART: Events = {"e1": ("a", "b")}


def encode_event(events: Events, prices: tuple[float, float] = (1.9, 2.0)) -> str:
    outcomes = [{"name": f"{name}", "price": price} for name, price in zip(("Over", "Under"), prices, strict=True)]
    return json.dumps(
        [
            {
                "id": event,
                "sport_key": "soccer_epl",
                "sport_title": "EPL",
                "commence_time": "2026-03-08T18:00:00Z",
                "home_team": f"home {event.rstrip('x')}",
                "away_team": "away",
                "bookmakers": [
                    {"key": book, "title": book, "markets": [{"key": "totals", "outcomes": outcomes}]} for book in books
                ],
            }
            for event, books in events.items()
        ]
    )


def books_on_offer(path: Path, *responses: str) -> list[dict[str, tuple[str, ...]]]:
    """The events and their books after each capture."""
    for n, response in enumerate(responses):
        (path / f"epl_20260307T18{n:02}00Z.json").write_text(response)
    recording = Recording.load(path)
    snapshots = [recording.snapshot(capture.sport, capture.at) for capture in recording.captures]
    return [{e.id: tuple(sorted(b.key for b in e.bookmakers)) for e in s.events} for s in snapshots if s]


def test_a_narrower_request_withdraws_nothing(tmp_path: Path) -> None:
    assert books_on_offer(tmp_path, *[encode_event(events) for events in (BOTH, PART, BOTH, {}, PART)]) == [BOTH] * 5


def test_a_market_missing_from_a_shown_book_is_withdrawn(tmp_path: Path) -> None:
    expected = BOTH | PART
    assert books_on_offer(tmp_path, encode_event(BOTH), encode_event(expected))[-1] == expected


def test_a_repeated_request_defines_its_scope(tmp_path: Path) -> None:
    assert books_on_offer(tmp_path, *[encode_event(BOTH)] * MIN_REPEATS, encode_event(PART))[-1] == PART


def test_an_event_with_a_new_id_is_not_duplicated(tmp_path: Path) -> None:
    renamed: Events = {"e1": BOTH["e1"], "e2x": BOTH["e2"]}
    assert books_on_offer(tmp_path, encode_event(BOTH), encode_event(renamed))[-1] == renamed


def test_american_prices_stay_american(tmp_path: Path) -> None:
    american = [encode_event(events, (-110, 105)) for events in (BOTH, {}, PART)]
    books_on_offer(tmp_path, *american)
    recording = Recording.load(tmp_path)
    last = recording.snapshot("soccer_epl", recording.captures[-1].at)
    assert last is not None
    assert last.content.american
    prices = {o.price for e in last.events for b in e.bookmakers for m in b.markets for o in m.outcomes}
    assert prices == {-110, 105}
