"""Captures of one market or one region at a time withdraw nothing that they do not cover."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from ml.quotes.coverage import MIN_REPEATS
from tests.edge_assets.importers.test_captures import body
from tests.edge_assets.importers.test_single_events import states
from tests.support.football_files import rows

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
US, EU = ("one", "two", "three"), ("un", "deux", "trois")
PRICES = {"e1": (1.9, 1.95), "e2": (1.5, 2.7)}
WITHDRAWALS = "SELECT sum(withdrawals)::int FROM polls"


def write(path: Path, seconds: float, *books: str, prices: dict[str, tuple[float, float]] = PRICES) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    name = f"nfl_{NOON + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}.json"
    (path / name).write_text(json.dumps(body(prices, books)))
    return path


def as_sent(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events unchanged."""
    return events


def totals(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same events with another market."""
    outcomes = [{"name": side, "price": 1.9, "point": 44.5} for side in ("Over", "Under")]
    for event in events:
        for book in event["bookmakers"]:
            book["markets"] = [{"key": "totals", "outcomes": outcomes}]
    return events


def run(url: str, *paths: Path) -> ImportReport:
    with Importer(url, "run-1") as importer:
        return importer.run(Source.ODDS_API, paths)


def books_on_offer(url: str) -> list[set[str]]:
    return [{book for _, book, _, _ in state} for state in states(url)]


def test_alternating_regions_do_not_withdraw_each_other(database_url: str, tmp_path: Path) -> None:
    for minute in (0, 10, 20):
        write(tmp_path / "a", 60 * minute, *US)
        write(tmp_path / "a", 60 * minute + 2, *EU)
    report = run(database_url, tmp_path / "a")
    assert (report.ticks, rows(database_url, WITHDRAWALS)) == (24, [(0,)])
    assert books_on_offer(database_url) == [set(US)] + [{*US, *EU}] * 5


def test_a_book_missing_from_its_usual_region_is_withdrawn(database_url: str, tmp_path: Path) -> None:
    for second, books in enumerate([*(US, EU) * MIN_REPEATS, US[1:], EU]):
        write(tmp_path / "a", second, *books)
    run(database_url, tmp_path / "a")
    assert books_on_offer(database_url)[-2:] == [{*US[1:], *EU}] * 2
    assert rows(database_url, WITHDRAWALS) == [(4,)]


WHOLE = (PRICES, US)


@pytest.mark.parametrize("part", [(PRICES, US[:2]), ({"e1": PRICES["e1"]}, US), ({"e2": PRICES["e2"]}, US[1:])])
def test_a_narrower_request_in_between_withdraws_nothing(
    database_url: str, tmp_path: Path, part: tuple[dict[str, tuple[float, float]], tuple[str, ...]]
) -> None:
    for minute, (prices, books) in enumerate((WHOLE, part, WHOLE, part, WHOLE)):
        write(tmp_path / "a", 60 * minute, *books, prices=prices)
    assert run(database_url, tmp_path / "a").ticks == 12
    assert rows(database_url, WITHDRAWALS) == [(0,)]
    assert books_on_offer(database_url) == [set(US)] * 5


def test_quotes_missing_from_shown_events_and_books_are_withdrawn(database_url: str, tmp_path: Path) -> None:
    write(tmp_path / "a", 0, *US)
    [first, second] = body(PRICES, US)
    second["bookmakers"].pop()
    (tmp_path / "a" / "nfl_20251103T121000Z.json").write_text(json.dumps([first, second]))
    run(database_url, tmp_path / "a")
    assert rows(database_url, WITHDRAWALS) == [(2,)]


def test_a_moved_price_of_one_region_is_one_change_per_book(database_url: str, tmp_path: Path) -> None:
    write(write(write(tmp_path / "a", 0, *US), 2, *EU), 10, *US, prices=PRICES | {"e1": (2.0, 1.95)})
    assert run(database_url, tmp_path / "a").ticks == 24 + 3


@pytest.mark.parametrize("order", [("us", "eu"), ("eu", "us")])
@pytest.mark.parametrize("apart", [0, 2])
def test_regions_imported_one_after_the_other(
    database_url: str, tmp_path: Path, order: tuple[str, ...], apart: int
) -> None:
    for minute in (0, 10, 20):
        write(tmp_path / "us", 60 * minute, *US)
        write(tmp_path / "eu", 60 * minute + apart, *EU)
    for folder in order:
        run(database_url, tmp_path / folder)
    assert rows(database_url, WITHDRAWALS) == [(0,)]
    assert books_on_offer(database_url)[-1] == {*US, *EU}
    assert rows(database_url, "SELECT count(*) FROM odds_ticks") == [(24,)]
    again = write(tmp_path / "again", 0, *US)
    assert run(database_url, again).ticks == 0


def test_alternating_markets_do_not_withdraw_each_other(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    for minute, market in enumerate((as_sent, totals, as_sent, totals)):
        (path / f"nfl_20251103T12{minute:02}00Z.json").write_text(json.dumps(market(body(PRICES, US))))
    assert run(database_url, path).ticks == 24
    assert rows(database_url, WITHDRAWALS) == [(0,)]


def test_markets_of_one_historical_timestamp_are_one_poll(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    for name, market in {"h2h": as_sent, "totals": totals}.items():
        envelope = {"timestamp": "2025-11-03T12:00:00", "data": market(body(PRICES, US))}
        (path / f"{name}.json").write_text(json.dumps(envelope))
    run(database_url, path)
    assert rows(database_url, "SELECT ticks, withdrawals FROM polls") == [(24, 0)]


def test_a_book_with_a_new_key_and_the_same_title_is_a_rename(database_url: str, tmp_path: Path) -> None:
    for second, key in ((0, "barbook"), (1200, "barsport")):
        write(tmp_path / "a", second, key)
        [file] = (tmp_path / "a").glob(f"*{NOON + timedelta(seconds=second):%H%M%S}*")
        file.write_text(file.read_text().replace(f'"title": "{key.title()}"', '"title": "Bar"'))
    run(database_url, tmp_path / "a")
    assert books_on_offer(database_url) == [{"barbook"}, {"barsport"}]


def test_several_sports_in_one_list_are_split(database_url: str, tmp_path: Path) -> None:
    write(tmp_path / "a", 0, *US)
    other = body({"e9": (1.3, 4.0)}, US)
    other[0] |= {"sport_key": "icehockey_nhl"}
    upcoming = tmp_path / "a" / "upcoming_20251103T120100Z.json"
    upcoming.write_text(json.dumps([*body({"e1": (2.1, 1.8)}, US), *other]))
    report = run(database_url, tmp_path / "a")
    # it lists only the next events: others stay on offer
    assert (report.ticks, rows(database_url, WITHDRAWALS)) == (12 + 6 + 6, [(0,)])


def test_an_invalid_part_does_not_affect_the_rest(database_url: str, tmp_path: Path) -> None:
    [event, other] = body(PRICES, US)
    event["bookmakers"][0]["markets"][0]["outcomes"][0]["price"] = None
    event["bookmakers"][1]["title"] = "Two\x00 \ud83d"
    event["bookmakers"][2]["markets"][0]["key"] = "x" * 9_000
    (tmp_path / "nfl_20251103T120000Z.json").write_text(json.dumps([event, other, {"id": 3}, None]))
    report = run(database_url, tmp_path)
    assert report.rejected.counts == {"price_missing": 1, "text_too_long": 1, "malformed_event": 2}
    assert report.ticks == 9
    assert rows(database_url, "SELECT title FROM books WHERE key = 'two'") == [("Two",)]


@pytest.mark.parametrize("sent", ["[]", "[null]", '[{"id": 1}]', "", "{}", "null", '"odds"'])
def test_captures_without_odds_are_reported(database_url: str, tmp_path: Path, sent: str) -> None:
    (tmp_path / "nfl_20251103T120000Z.json").write_text(sent)
    report = run(database_url, tmp_path)
    assert report.ticks == 0
    assert report.rejected.counts or report.rejected_files
