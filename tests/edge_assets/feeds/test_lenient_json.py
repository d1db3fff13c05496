"""Excessive nesting affects only its own part."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from edge_assets.feeds.lenient_json import MAX_CONTAINERS, MAX_DEPTH, parse_lenient_json
from edge_assets.feeds.odds_api.events import read_events

VALID = '{"id": "g", "sport_key": "nba", "commence_time": "2026-12-01T00:00:00Z", "home_team": "A", "away_team": "B"}'


@pytest.mark.parametrize("depth", [MAX_DEPTH, 900, 1_100, 3_000, 100_000])
@pytest.mark.parametrize("key", ['"z"', '"\\ud800"'])
def test_a_deeply_nested_event_does_not_affect_others(depth: int, key: str) -> None:
    nested = "[" * depth + "]" * depth
    rejected: list[str] = []
    body = f'[{VALID}, {{"id": {key}, "deep": {nested}, "text": "]]}}{{ \\" ["}}]'.encode()
    assert "g" in [event.id for event in read_events(body, rejected)]
    assert len(rejected) == 1


def test_values_beyond_the_maximal_depth_become_null() -> None:
    sent = {"a": [1, {"b": "x[{"}], "c": 2}
    deep = "[" * 50_000 + "]" * 50_000
    read = parse_lenient_json((json.dumps(sent)[:-1] + f', "deep": {deep}, "last": "]"}}').encode())
    assert isinstance(read, dict)
    assert {**sent, "last": "]"}.items() <= read.items()


@pytest.mark.parametrize("body", ["[" * 5_000, '{"a": ' * 5_000, "[" * 5_000 + "]" * 4_999])
def test_unbalanced_nesting_is_not_json(body: str) -> None:
    with pytest.raises(ValueError, match="unbalanced nesting"):
        parse_lenient_json(body.encode())


def test_a_million_empty_objects_take_no_gigabyte() -> None:
    body = b"[" + b"{}," * MAX_CONTAINERS + b"{}]"
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more than 1,000,000 lists and objects"):
            parse_lenient_json(body)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(body)
    finally:
        tracemalloc.stop()
