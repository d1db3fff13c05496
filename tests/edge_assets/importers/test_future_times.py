"""Data from the future is rejected; future events are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import VirtualClock, to_micros
from edge_assets.importers.formats.batch import (
    ParsedBatch,
    ParsedEvent,
    PublicBets,
    Rejections,
    TimedQuotes,
)
from edge_assets.importers.future_times import reject_future_times
from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.reference.sources import Source
from ml.quotes import UNKNOWN_TIME, QuoteBatch
from ml.settlement import GameReport, Score
from tests.support.football_files import rows

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
AT = to_micros(NOW)
HOUR = 3_600_000_000


def run(url: str, path: Path, name: Source) -> ImportReport:
    with Importer(url, "run-1", VirtualClock(NOW)) as importer:
        return importer.run(name, [path])


def test_a_result_before_its_start_is_rejected_and_future_matches_are_kept(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "E0.csv"
    path.write_text(
        "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A,B365CH,B365CD,B365CA\n"
        "E0,07/03/2026,15:00,Reds,Blues,1,0,H,1.5,4,7,1.6,4,7\n"
        "E0,08/03/2026,15:00,Pinks,Whites,,,,1.5,4,7,,,\n"
        "E0,05/01/2099,15:00,Greens,Greys,1,0,H,1.5,4,7,1.6,4,7\n"
        "E0,06/01/2099,15:00,Browns,Blacks,,,,1.5,4,7,1.6,4,7\n"
    )
    report = run(database_url, path, Source.FOOTBALL_DATA)
    assert report.rejected.counts == {"result_before_start": 1, "time_in_future": 3}
    events = f"SELECT home_team, first_seen_at <= '{NOW}' FROM events ORDER BY id"
    assert rows(database_url, events) == [
        ("Reds", True), ("Pinks", True), ("Browns", True)
    ]  # fmt: skip
    late = f"""
        SELECT price FROM odds_ticks AS t INNER JOIN events AS e ON t.event_id = e.id
        WHERE e.home_team = 'Browns' AND t.observed_at = '{NOW}' ORDER BY price
    """
    assert rows(database_url, late) == [(1.5,), (4.0,), (7.0,)], "prices in the file have been seen by now"
    assert rows(database_url, f"SELECT max(observed_at) <= '{NOW}' FROM odds_ticks") == [(True,)]
    assert rows(database_url, "SELECT count(DISTINCT event_id) FROM results") == [(1,)]


def test_a_capture_from_the_future_is_rejected_and_the_others_are_not(database_url: str, tmp_path: Path) -> None:
    markets = [{"key": "h2h", "outcomes": [{"name": "Alpha", "price": 1.9}, {"name": "Beta", "price": 1.95}]}]
    event = {
        "id": "e1",
        "sport_key": "americanfootball_nfl",
        "sport_title": "NFL",
        "commence_time": "2026-03-09T18:00:00Z",
        "home_team": "Alpha",
        "away_team": "Beta",
        "bookmakers": [{"key": "acme", "title": "Acme", "markets": markets}],
    }
    for at in (NOW - timedelta(hours=1), NOW + timedelta(minutes=2), NOW + timedelta(days=365)):
        (tmp_path / f"nfl_{at:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps([event]))
    report = run(database_url, tmp_path, Source.ODDS_API)
    assert report.rejected.counts == {"time_in_future": 1}
    assert rows(database_url, "SELECT count(*) FROM polls") == [(2,)]


def test_events_and_polls_are_renumbered() -> None:
    won = GameReport.final(Score(1, 0))
    events = [ParsedEvent(str(n), "a", "b", AT + n * HOUR, report=won if n == 1 else None) for n in (1, 2, 3)]
    quotes = QuoteBatch(
        event=np.array([0, 1, 2, 2], np.int32),
        book=np.zeros(4, np.int16),
        market=np.ones(4, np.int16),
        outcome=np.ones(4, np.int32),
        point=np.full(4, np.nan, np.float32),
        price=np.array([1.1, 1.2, 1.3, 1.4]),
        book_time=np.full(4, UNKNOWN_TIME),
    )
    batch = ParsedBatch(
        "f", "f", "soccer_epl", events, [], TimedQuotes(quotes, np.array([AT, AT - HOUR, AT, AT + HOUR])), 4,
        poll_times=np.array([AT + HOUR, AT - HOUR, AT]),
        listed=(np.array([0, 1, 1, 2]), np.array([2, 0, 1, 2])),
        public_bets=[PublicBets(0, 1, 1, 0.5, AT), PublicBets(2, 1, 1, 0.5, AT), PublicBets(2, 1, 1, 0.5, AT + HOUR)],
    )  # fmt: skip
    rejections = Rejections()
    left = reject_future_times(batch, AT, "file", rejections)
    assert [event.key for event in left.events] == ["2", "3"]
    assert (left.quotes.quotes.event.tolist(), left.quotes.quotes.price.tolist()) == ([0, 1], [1.2, 1.3])
    assert left.poll_times.tolist() == [AT - HOUR, AT]
    assert left.listed is not None
    assert [column.tolist() for column in left.listed] == [[0, 1], [0, 1]]
    assert [(bets.event, bets.observed_at) for bets in left.public_bets] == [(1, AT)]
    assert rejections.counts == {"result_before_start": 1, "time_in_future": 3}
