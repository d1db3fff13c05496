"""What is nested without end costs itself."""

from __future__ import annotations

import json

import pytest

from edge_assets.feeds.loose_json import MAX_DEPTH, parse_lenient_json
from edge_assets.feeds.odds_api.events import read_events

SOUND = '{"id": "g", "sport_key": "nba", "commence_time": "2026-12-01T00:00:00Z", "home_team": "A", "away_team": "B"}'


@pytest.mark.parametrize("depth", [MAX_DEPTH, 900, 1_100, 3_000, 100_000])
@pytest.mark.parametrize("key", ['"z"', '"\\ud800"'])
def test_the_event_beside_a_deeply_nested_one_is_read(depth: int, key: str) -> None:
    nested = "[" * depth + "]" * depth
    rejected: list[str] = []
    body = f'[{SOUND}, {{"id": {key}, "deep": {nested}, "text": "]]}}{{ \\" ["}}]'.encode()
    assert "g" in [event.id for event in read_events(body, rejected)]
    assert len(rejected) == 1


def test_what_lies_deeper_is_null_and_the_rest_as_it_is() -> None:
    sent = {"a": [1, {"b": "x[{"}], "c": 2}
    deep = "[" * 50_000 + "]" * 50_000
    read = parse_lenient_json((json.dumps(sent)[:-1] + f', "deep": {deep}, "last": "]"}}').encode())
    assert isinstance(read, dict)
    assert {**sent, "last": "]"}.items() <= read.items()


@pytest.mark.parametrize("body", ["[" * 5_000, '{"a": ' * 5_000, "[" * 5_000 + "]" * 4_999])
def test_what_is_nested_and_never_ends_is_no_json(body: str) -> None:
    with pytest.raises(ValueError, match="nested without end"):
        parse_lenient_json(body.encode())
