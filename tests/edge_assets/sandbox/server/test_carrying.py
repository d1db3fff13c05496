"""Captures that ask for a part, as what stands after each."""

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


def sent(events: Events, prices: tuple[float, float] = (1.9, 2.0)) -> str:
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


def standing(path: Path, *answers: str) -> list[dict[str, tuple[str, ...]]]:
    """The events and their books after each answer."""
    for n, answer in enumerate(answers):
        (path / f"epl_20260307T18{n:02}00Z.json").write_text(answer)
    recording_path = Recording.load(path)
    snapshots = [recording_path.snapshot(capture.sport, capture.at) for capture in recording_path.captures]
    return [{e.id: tuple(sorted(b.key for b in e.bookmakers)) for e in s.events} for s in snapshots if s]


def test_a_narrower_question_takes_nothing_away(tmp_path: Path) -> None:
    assert standing(tmp_path, *[sent(events) for events in (BOTH, PART, BOTH, {}, PART)]) == [BOTH] * 5


def test_what_a_shown_book_lacks_on_a_listed_event_is_gone(tmp_path: Path) -> None:
    lacking = BOTH | PART
    assert standing(tmp_path, sent(BOTH), sent(lacking))[-1] == lacking


def test_a_question_repeated_often_is_believed(tmp_path: Path) -> None:
    assert standing(tmp_path, *[sent(BOTH)] * MIN_REPEATS, sent(PART))[-1] == PART


def test_an_event_with_another_id_stands_once(tmp_path: Path) -> None:
    renamed: Events = {"e1": BOTH["e1"], "e2x": BOTH["e2"]}
    assert standing(tmp_path, sent(BOTH), sent(renamed))[-1] == renamed


def test_american_prices_stay_american(tmp_path: Path) -> None:
    american = [sent(events, (-110, 105)) for events in (BOTH, {}, PART)]
    standing(tmp_path, *american)
    recording_path = Recording.load(tmp_path)
    last = recording_path.snapshot("soccer_epl", recording_path.captures[-1].at)
    assert last is not None
    assert last.content.american
    prices = {o.price for e in last.events for b in e.bookmakers for m in b.markets for o in m.outcomes}
    assert prices == {-110, 105}
