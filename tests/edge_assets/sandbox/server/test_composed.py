"""An endless source without captures, like the simulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge_assets.feeds.recordings.snapshots import ComposedSnapshot
from edge_assets.feeds.recordings.source import Neighbours
from edge_assets.feeds.recordings.wire import (
    RawBookmaker,
    RawEventOdds,
    RawMarket,
    RawOutcome,
    RawScore,
    RawSport,
    RawTeamScore,
    format_time,
)
from tests.support.recordings import GAME, LATER, NFL, Serve

if TYPE_CHECKING:
    from edge_assets.feeds.recordings.source import SnapshotSource


class EndlessSource:
    """One game with a new price every second; yesterday's is completed, today's is in play."""

    captures = ()

    def sports(self) -> list[RawSport]:
        return [RawSport(NFL, "American Football", "NFL", "NFL", active=True, has_outrights=False)]

    def snapshot(self, sport: str, at: datetime) -> ComposedSnapshot:
        captured_at = at.replace(microsecond=0)
        market = RawMarket(
            key="h2h",
            last_update=format_time(captured_at),
            outcomes=[RawOutcome("A", 1 + at.second / 60), RawOutcome("B", 2.5)],
        )
        book = RawBookmaker("pinnacle", "Pinnacle", format_time(captured_at), markets=[market])
        game = RawEventOdds(GAME, NFL, "NFL", format_time(at + timedelta(hours=1)), "A", "B", bookmakers=[book])
        return ComposedSnapshot(captured_at, [game])

    def neighbours(self, sport: str, at: datetime) -> Neighbours:
        captured_at = at.replace(microsecond=0)
        return Neighbours(captured_at - timedelta(seconds=1), captured_at + timedelta(seconds=1))

    def scores(self, sport: str, at: datetime) -> list[RawScore]:
        points, now = [RawTeamScore("A", "3"), RawTeamScore("B", "7")], format_time(at)
        yesterday, today = format_time(at - timedelta(hours=26)), format_time(at - timedelta(hours=1))
        return [
            RawScore(LATER, NFL, "NFL", yesterday, True, "A", "B", points, now),
            RawScore(GAME, NFL, "NFL", today, False, "A", "B", points, now),
        ]


def test_it_follows_the_wall_clock(serve: Serve) -> None:
    source: SnapshotSource = EndlessSource()
    client = serve(source)
    answer = client.get(f"/v4/sports/{NFL}/odds", params={"regions": "eu"})
    assert abs(datetime.fromisoformat(answer.headers["x-edge-time"]) - datetime.now(UTC)) < timedelta(seconds=5)
    assert answer.headers["x-edge-speed"] == "1"
    assert answer.json()[0]["bookmakers"][0]["markets"][0]["outcomes"][1] == {"name": "B", "price": 2.5}
    ready = client.get("/_edge/ready").json()
    assert (ready["captures"], ready["speed"], ready["ended"]) == (0, 1.0, False)


def test_completed_events_have_scores_within_the_requested_days(serve: Serve) -> None:
    client = serve(EndlessSource())
    path = f"/v4/sports/{NFL}/scores"
    live, two_days = client.get(path), client.get(path, params={"daysFrom": "2", "dateFormat": "unix"})
    assert [score["id"] for score in live.json()] == [GAME]
    assert live.headers["x-requests-last"] == "1"
    assert [score["id"] for score in two_days.json()] == [LATER, GAME]
    assert two_days.json()[0]["scores"] == [{"name": "A", "score": "3"}, {"name": "B", "score": "7"}]
    assert isinstance(two_days.json()[0]["last_update"], int)
    assert [s["id"] for s in client.get(path, params={"daysFrom": "1"}).json()] == [GAME]


def test_history_ends_now(serve: Serve) -> None:
    tomorrow = format_time(datetime.now(UTC) + timedelta(days=1))
    path = f"/v4/historical/sports/{NFL}/odds"
    answer = serve(EndlessSource()).get(path, params={"regions": "eu", "date": tomorrow}).json()
    assert datetime.fromisoformat(answer["timestamp"]) <= datetime.now(UTC)
