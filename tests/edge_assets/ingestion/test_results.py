"""Results from real servers in a real database: The Odds API's first, ESPN's if they are late, unavailable or
unclear.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from edge_assets.core.settings import Feed, Settings
from edge_assets.feeds.recordings.source import Neighbours
from edge_assets.feeds.recordings.wire import RawScore, RawSport, RawTeamScore, format_time
from edge_assets.ingestion.results import collect_results, skip_reason
from edge_assets.sandbox.server.app import create_app
from edge_assets.store.events.result_polls import load_contradictions
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect
from tests.support.scoreboards import EspnApi, board, event, serve, soccer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_assets.store.events.result_polls import ResultPoll

pytestmark = pytest.mark.calendar

NFL, CUP, EPL, MLB = "americanfootball_nfl", "soccer_fifa_world_cup", "soccer_epl", "baseball_mlb"
PATHS = {NFL: "football/nfl", MLB: "baseball/mlb", CUP: "soccer/fifa.world", EPL: "soccer/eng.1"}
NOW = datetime.now(UTC).replace(microsecond=0)
EXTRA_TIME: dict[str, Any] = {
    "status": "STATUS_FINAL_AET",
    "period": 4,
    "goals": [("home", 600.0), ("away", 5400.0), ("home", 6000.0)],
}
VIEW = """
SELECT e.home_team, r.period, r.home_score, r.away_score, r.source, r.contradicted
FROM event_results AS r INNER JOIN events AS e ON r.event_id = e.id ORDER BY e.home_team, r.period
"""


class Scores:
    """A feed with results and without odds."""

    captures = ()

    def __init__(self) -> None:
        self.games: list[RawScore] = []

    def sports(self) -> list[RawSport]:
        return [RawSport(key, "", key, "", active=True, has_outrights=False) for key in PATHS]

    def snapshot(self, sport: str, at: datetime) -> None:
        return None

    def neighbours(self, sport: str, at: datetime) -> Neighbours:
        return Neighbours(None, None)

    def scores(self, sport: str, at: datetime) -> list[RawScore]:
        return [game for game in self.games if game.sport_key == sport]


class ResultsHarness:
    """Events in our database, and what the two sources state about them."""

    def __init__(self, database: str, scores_url: str, espn_url: str, scores: Scores, espn: EspnApi) -> None:
        self.database, self.scores, self.espn = database, scores, espn
        self.settings = Settings(
            edge_feed=Feed.ODDS_API,
            edge_sports=(NFL, MLB, CUP, EPL, "mma_mixed_martial_arts"),
            database_url=database,
            odds_api_key=SecretStr("test-key"),
            odds_api_url=f"{scores_url}/v4",
            espn_url=espn_url,
        )

    def add_event(self, sport: str, home: str, away: str, ago: float) -> str:
        """An event that started some hours ago."""
        start = NOW - timedelta(hours=ago)
        with closing(connect(self.database, "test")) as conn:
            words = IdRegistry.load(conn)
            words.event(f"{home}-{away}", words.sport(sport, sport), home, away, start, start - timedelta(days=1))
            words.close()
        return f"{home}-{away}"

    def add_score(self, sport: str, key: str, home: int, away: int, *, ago: float, completed: bool = True) -> None:
        """Add a score of The Odds API."""
        ours, theirs = key.split("-")
        points = [RawTeamScore(theirs, str(away)), RawTeamScore(ours, str(home))]
        start = format_time(NOW - timedelta(hours=ago))
        self.scores.games.append(RawScore(key, sport, sport, start, completed, ours, theirs, points, None))

    def set_scoreboard(self, sport: str, *events: dict[str, Any]) -> None:
        """Set ESPN's scoreboard of a sport."""
        self.espn.boards[PATHS[sport]] = board(*events)

    async def collect(self) -> dict[tuple[str, str], ResultPoll]:
        return {(poll.sport, poll.source.value): poll for poll in await collect_results(self.settings, "run-1")}

    def results(self) -> list[tuple[Any, ...]]:
        return self.rows(VIEW)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(connect(self.database, "test")) as conn:
            return conn.execute(query).fetchall()

    def forget_polls(self) -> None:
        """Pretend that the intervals have passed."""
        with closing(connect(self.database, "test")) as conn:
            conn.execute("DELETE FROM result_polls")


@pytest.fixture
def harness(database_url: str, request: pytest.FixtureRequest) -> Iterator[ResultsHarness]:
    scores, espn = Scores(), EspnApi()
    plan = getattr(request, "param", 20_000)
    with serve(create_app(scores, credits_per_month=plan)) as scores_url, serve(espn) as espn_url:
        yield ResultsHarness(database_url, scores_url, espn_url, scores, espn)


def at(ago: float) -> str:
    return f"{NOW - timedelta(hours=ago):%Y-%m-%dT%H:%MZ}"


async def test_available_scores_need_no_other_source(harness: ResultsHarness) -> None:
    key = harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    harness.add_score(NFL, key, 26, 18, ago=6)
    harness.add_score(NFL, "Somebody-Else", 1, 2, ago=6)

    poll_list = await harness.collect()

    assert harness.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    poll = poll_list[NFL, "odds-api"]
    assert (poll.games, poll.new, poll.credits_last, dict(poll.rejected)) == (1, 1, 2, {"unknown_event": 1})
    assert harness.espn.asked == []
    assert harness.rows("SELECT source, games, run_id, credits_last FROM result_polls") == [("odds-api", 1, "run-1", 2)]


async def test_known_results_are_not_polled_again(harness: ResultsHarness) -> None:
    key = harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    harness.add_score(NFL, key, 26, 18, ago=6)
    await harness.collect()
    harness.forget_polls()

    assert await harness.collect() == {}
    assert skip_reason(harness.settings, NOW) == "no event is missing a result"


async def test_games_in_play_and_fights_are_not_polled(harness: ResultsHarness) -> None:
    harness.add_event(NFL, "Eagles", "Commanders", ago=1)
    harness.add_event("mma_mixed_martial_arts", "Jones", "Miocic", ago=8)
    harness.add_event(NFL, "Bears", "Packers", ago=24 * 4)

    assert await harness.collect() == {}


async def test_espn_is_polled_only_when_the_scores_are_late(harness: ResultsHarness) -> None:
    harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    key = harness.add_event(NFL, "Bears", "Packers", ago=3)
    harness.add_score(NFL, key, 10, 7, ago=3, completed=False)
    shown = [event("Eagles", "Commanders", ("26", "18"), date=at(6)), event("Bears", "Packers", date=at(3))]
    harness.set_scoreboard(NFL, *shown)

    poll_list = await harness.collect()

    # polled because of one game, ESPN states the other as well
    assert {row[0] for row in harness.results()} == {"Bears", "Eagles"}
    assert {row[4] for row in harness.results()} == {"espn"}
    assert poll_list[NFL, "espn"].games == 2
    asked = len(harness.espn.asked)

    harness.forget_polls()
    patient = harness.add_event(NFL, "Jets", "Colts", ago=3)
    await harness.collect()
    assert len(harness.espn.asked) == asked
    harness.add_score(NFL, patient, 3, 0, ago=3)
    harness.forget_polls()
    await harness.collect()
    assert ("Jets", "full", 3, 0, "odds-api", False) in harness.results()


@pytest.mark.parametrize("harness", [0], indirect=True, ids=["no credits"])
async def test_espn_fills_in_without_credits(harness: ResultsHarness) -> None:
    harness.add_event(NFL, "Eagles", "Commanders", ago=3)
    harness.set_scoreboard(NFL, event("Eagles", "Commanders", ("26", "18"), date=at(3)))

    poll_list = await harness.collect()

    assert poll_list.keys() == {(NFL, "espn")}, "scores are not requested when the feed states that no credits are left"
    assert harness.results() == [
        ("Eagles", "full", 26, 18, "espn", False),
        ("Eagles", "regulation", 26, 18, "espn", False),
    ]


async def test_credits_are_stated_before_any_are_spent(harness: ResultsHarness) -> None:
    """An empty database asks for free and stores the answer; the second time it is known."""
    key = harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    harness.add_score(NFL, key, 26, 18, ago=6)
    assert skip_reason(harness.settings, NOW) is None

    poll_list = await harness.collect()

    assert poll_list[NFL, "odds-api"].credits_last == 2
    assert harness.rows("SELECT feed, remaining FROM credit_statements") == [("odds-api", 20_000)]


async def test_both_down_is_two_failures_and_no_result(harness: ResultsHarness) -> None:
    harness.add_event(CUP, "Spain", "Argentina", ago=6)
    harness.scores.sports = list  # type: ignore[method-assign]

    poll_list = await harness.collect()

    assert "UnknownSportError" in str(poll_list[CUP, "odds-api"].failure)
    assert poll_list[CUP, "espn"].failure == "EspnStatusError: ESPN answered 404"
    assert harness.results() == []
    assert len(harness.rows("SELECT 1 FROM result_polls WHERE failure IS NOT NULL")) == 2


async def test_a_world_cup_match_gets_the_result_of_ninety_minutes(harness: ResultsHarness) -> None:
    key = harness.add_event(CUP, "Spain", "Argentina", ago=3)
    harness.add_score(CUP, key, 2, 1, ago=3)
    harness.set_scoreboard(CUP, soccer("Spain", "Argentina", ("2", "1"), date=at(3), **EXTRA_TIME))

    await harness.collect()

    assert harness.results() == [
        ("Spain", "full", 2, 1, "espn", False),
        ("Spain", "regulation", 1, 1, "espn", False),
        ("Spain", "unstated", 2, 1, "odds-api", False),
    ]


async def test_home_and_away_are_matched_by_name(harness: ResultsHarness) -> None:
    harness.add_event(CUP, "Argentina", "Spain", ago=6)
    harness.set_scoreboard(CUP, soccer("Spain", "Argentina", ("2", "1"), date=at(6), **EXTRA_TIME))

    await harness.collect()

    assert harness.results() == [
        ("Argentina", "full", 1, 2, "espn", False),
        ("Argentina", "regulation", 1, 1, "espn", False),
    ]


async def test_scores_are_matched_by_name_too(harness: ResultsHarness) -> None:
    """The feed has swapped home and away since the poll; a score under another game's id does not count."""
    harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    key = harness.add_event(NFL, "Bears", "Packers", ago=6)
    harness.add_score(NFL, "Commanders-Eagles", 18, 26, ago=6)
    harness.add_score(NFL, "Jets-Colts", 3, 0, ago=6)
    ids = ("Eagles-Commanders", key)
    harness.scores.games = [replace(game, id=known) for game, known in zip(harness.scores.games, ids, strict=True)]

    poll_list = await harness.collect()

    assert harness.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    assert poll_list[NFL, "odds-api"].rejected == {"other_teams": 1}


async def test_one_malformed_score_does_not_affect_others(harness: ResultsHarness) -> None:
    for home, away in (("Eagles", "Commanders"), ("Bears", "Packers")):
        harness.add_score(NFL, harness.add_event(NFL, home, away, ago=6), 26, 18, ago=6)
    harness.scores.games[1] = replace(harness.scores.games[1], completed=None)

    poll_list = await harness.collect()

    assert harness.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    assert poll_list[NFL, "odds-api"].rejected["malformed_entry"] == 1


async def test_contradictions_are_kept_counted_and_listed(
    harness: ResultsHarness, caplog: pytest.LogCaptureFixture
) -> None:
    key = harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    harness.add_score(NFL, key, 26, 18, ago=6)
    harness.add_event(NFL, "Bears", "Packers", ago=6)
    harness.set_scoreboard(NFL, event("Eagles", "Commanders", ("26", "16"), date=at(6)))

    poll_list = await harness.collect()

    assert poll_list[NFL, "espn"].contradicted_events == 1
    assert "contradicting results" in caplog.text
    assert harness.results()[0] == ("Eagles", "full", 26, 18, "odds-api", True)
    with closing(connect(harness.database, "test")) as conn:
        [found] = load_contradictions(conn)
    assert (found.home_team, found.period) == ("Eagles", "full")
    assert sorted(found.statements) == ["espn final 26-16", "odds-api final 26-18"]


async def test_sources_are_polled_only_after_their_interval(harness: ResultsHarness) -> None:
    harness.add_event(EPL, "Arsenal", "Everton", ago=6)
    assert (await harness.collect()).keys() == {(EPL, "odds-api"), (EPL, "espn")}

    assert await harness.collect() == {}
    now = datetime.now(UTC)
    assert skip_reason(harness.settings, now) == "all sources were polled recently"
    assert skip_reason(harness.settings, now + timedelta(hours=1)) is None


async def test_a_replay_polls_its_own_server_only(harness: ResultsHarness) -> None:
    """Current scores of ESPN would leak the future into a replay."""
    key = harness.add_event(NFL, "Eagles", "Commanders", ago=6)
    harness.add_event(NFL, "Bears", "Packers", ago=6)
    harness.add_score(NFL, key, 26, 18, ago=6)
    harness.settings = harness.settings.model_copy(update={"edge_feed": Feed.REPLAY})

    assert (await harness.collect()).keys() == {(NFL, "odds-api")}
    assert len(harness.results()) == 1
    assert harness.espn.asked == []


@pytest.mark.parametrize(
    "later", [{"status": "STATUS_IN_PROGRESS", "completed": False, "period": 2}, {"status": "ODD"}]
)
async def test_the_other_game_of_a_doubleheader_settles_nothing(harness: ResultsHarness, later: dict[str, Any]) -> None:
    """The finished game is not ours while ours has no result yet."""
    harness.add_event(MLB, "Cubs", "Mets", ago=8)
    teams = "Chicago Cubs", "New York Mets"
    over = event(*teams, ("3", "2"), date=at(14), period=9, regulation=9)
    harness.set_scoreboard(MLB, over, event(*teams, ("1", "0"), date=at(8), regulation=9, **later))

    await harness.collect()
    assert harness.results() == []

    harness.set_scoreboard(MLB, over, event(*teams, ("1", "0"), date=at(8), period=9, regulation=9))
    harness.forget_polls()
    await harness.collect()
    assert harness.results() == [("Cubs", "full", 1, 0, "espn", False), ("Cubs", "regulation", 1, 0, "espn", False)]
