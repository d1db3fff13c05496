"""Home and away swapped under one event id: prices stay with the teams, and the swap is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from edge_assets.feeds.odds_api.diff import PayloadDiffer
from ml.quotes import QuoteBatch
from tests.support.in_memory_ids import InMemoryIdResolver
from tests.support.wire_factories import AWAY, HOME, SPORT, book, event, h2h, payload, spreads

NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
SWAPPED: dict[str, Any] = {"home_team": AWAY, "away_team": HOME}


def prices(quotes: QuoteBatch) -> dict[tuple[int, int], float]:
    return {(q[2], q[3]): q[5] for q in zip(*(column.tolist() for column in quotes.columns()), strict=True)}


def test_prices_stay_with_their_teams() -> None:
    differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1)
    first = differ.diff(payload(event(book("a", h2h(1.5, 2.5), spreads()))), NOW)
    differ.commit()
    again = differ.diff(payload(event(book("a", h2h(1.5, 2.5), spreads()), **SWAPPED)), NOW)
    assert len(first.quotes) == 4
    assert len(again.quotes) == 0
    assert again.rejected == {"sides_exchanged": 1}
    differ.commit()
    moved = differ.diff(payload(event(book("a", h2h(1.4, 2.5), spreads()), **SWAPPED)), NOW)
    assert list(prices(moved.quotes).values()) == [1.4]
    assert prices(moved.quotes).keys() <= prices(first.quotes).keys()
    assert first.quotes.outcome[first.quotes.price == 1.5].tolist() == moved.quotes.outcome.tolist()


def test_an_event_imported_with_swapped_sides_is_read_by_name() -> None:
    """Its first source may also use other names for the teams."""
    ids = InMemoryIdResolver()
    key = event()["id"]
    ids.event(key, 1, "St. Louis Blues", "Montreal", NOW, NOW)
    diff = PayloadDiffer(ids, SPORT, 1).diff(payload(event(book("a", h2h(1.5, 2.5)))), NOW)
    plain = PayloadDiffer(InMemoryIdResolver(), SPORT, 1).diff(payload(event(book("a", h2h(2.5, 1.5)))), NOW)
    assert prices(diff.quotes) == prices(plain.quotes)
    assert diff.rejected == {"sides_exchanged": 1}


def test_other_teams_under_one_id_are_rejected_but_one_renamed_team_is_not() -> None:
    differ = PayloadDiffer(InMemoryIdResolver(), SPORT, 1)
    differ.diff(payload(event(book("a", h2h()))), NOW)
    differ.commit()
    other: dict[str, Any] = {"home_team": "Boston Bruins", "away_team": "New York Rangers"}
    body = payload(event(book("a", h2h()), **other), event(book("a", h2h()), number=2))
    assert differ.diff(body, NOW).rejected == {"other_teams": 1}
    assert differ.diff(body, NOW).events == 1
    renamed = differ.diff(payload(event(book("a", h2h()), away_team="Utah Mammoth")), NOW)
    assert "other_teams" not in renamed.rejected
    assert renamed.events == 1


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (("TBD", "TBD"), (HOME, AWAY)),
        (("TBD 1", AWAY), (HOME, AWAY)),
        ((AWAY, "Winner Group 2"), (AWAY, HOME)),
        (("3rd Seed", "To Be Determined"), (HOME, AWAY)),
    ],
)
def test_teams_replace_placeholders(before: tuple[str, str], kept: tuple[str, str]) -> None:
    ids = InMemoryIdResolver()
    differ = PayloadDiffer(ids, SPORT, 1)
    differ.diff(payload(event(book("a", h2h()), home_team=before[0], away_team=before[1])), NOW)
    differ.commit()
    known = differ.diff(payload(event(book("a", h2h()))), NOW)
    assert "other_teams" not in known.rejected
    assert known.events == 1
    assert ids.sides(1) == kept
    differ.commit()
    again = differ.diff(payload(event(book("a", h2h()), home_team="TBD", away_team="TBD")), NOW)
    assert "other_teams" not in again.rejected
    assert ids.sides(1) == kept
