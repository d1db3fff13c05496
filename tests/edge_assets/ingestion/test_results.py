"""Results from real servers into a real database: The Odds API's first, ESPN's where they are late, down or unclear."""

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
from tests.support.scoreboards import EspnApi, board, event, served, soccer

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
    """A feed that has results and no odds."""

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


class World:
    """Events in our database, and what the two sources say of them."""

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

    def played(self, sport: str, home: str, away: str, ago: float) -> str:
        """An event that started some hours ago."""
        start = NOW - timedelta(hours=ago)
        with closing(connect(self.database, "test")) as conn:
            words = IdRegistry.load(conn)
            words.event(f"{home}-{away}", words.sport(sport, sport), home, away, start, start - timedelta(days=1))
            words.close()
        return f"{home}-{away}"

    def states(self, sport: str, key: str, home: int, away: int, *, ago: float, completed: bool = True) -> None:
        """The Odds API's word."""
        ours, theirs = key.split("-")
        points = [RawTeamScore(theirs, str(away)), RawTeamScore(ours, str(home))]
        start = format_time(NOW - timedelta(hours=ago))
        self.scores.games.append(RawScore(key, sport, sport, start, completed, ours, theirs, points, None))

    def shows(self, sport: str, *events: dict[str, Any]) -> None:
        """ESPN's word."""
        self.espn.boards[PATHS[sport]] = board(*events)

    async def collect(self) -> dict[tuple[str, str], ResultPoll]:
        return {(poll.sport, poll.source.value): poll for poll in await collect_results(self.settings, "run-1")}

    def results(self) -> list[tuple[Any, ...]]:
        return self.rows(VIEW)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(connect(self.database, "test")) as conn:
            return conn.execute(query).fetchall()

    def forget_looks(self) -> None:
        """As if the intervals had passed."""
        with closing(connect(self.database, "test")) as conn:
            conn.execute("DELETE FROM result_polls")


@pytest.fixture
def world(database_url: str, request: pytest.FixtureRequest) -> Iterator[World]:
    scores, espn = Scores(), EspnApi()
    plan = getattr(request, "param", 20_000)
    with served(create_app(scores, credits_per_month=plan)) as scores_url, served(espn) as espn_url:
        yield World(database_url, scores_url, espn_url, scores, espn)


def at(ago: float) -> str:
    return f"{NOW - timedelta(hours=ago):%Y-%m-%dT%H:%MZ}"


async def test_scores_that_are_there_need_nobody_else(world: World) -> None:
    key = world.played(NFL, "Eagles", "Commanders", ago=6)
    world.states(NFL, key, 26, 18, ago=6)
    world.states(NFL, "Somebody-Else", 1, 2, ago=6)

    poll_list = await world.collect()

    assert world.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    poll = poll_list[NFL, "odds-api"]
    assert (poll.games, poll.new, poll.credits_last, dict(poll.rejected)) == (1, 1, 2, {"unknown_event": 1})
    assert world.espn.asked == []
    assert world.rows("SELECT source, games, run_id, credits_last FROM result_polls") == [("odds-api", 1, "run-1", 2)]


async def test_a_second_look_asks_for_nothing_that_is_known(world: World) -> None:
    key = world.played(NFL, "Eagles", "Commanders", ago=6)
    world.states(NFL, key, 26, 18, ago=6)
    await world.collect()
    world.forget_looks()

    assert await world.collect() == {}
    assert skip_reason(world.settings, NOW) == "no event is missing a result"


async def test_games_in_play_and_fights_are_not_asked_for(world: World) -> None:
    world.played(NFL, "Eagles", "Commanders", ago=1)
    world.played("mma_mixed_martial_arts", "Jones", "Miocic", ago=8)
    world.played(NFL, "Bears", "Packers", ago=24 * 4)

    assert await world.collect() == {}


async def test_espn_is_asked_when_the_scores_are_late_and_not_before(world: World) -> None:
    world.played(NFL, "Eagles", "Commanders", ago=6)
    key = world.played(NFL, "Bears", "Packers", ago=3)
    world.states(NFL, key, 10, 7, ago=3, completed=False)
    shown = [event("Eagles", "Commanders", ("26", "18"), date=at(6)), event("Bears", "Packers", date=at(3))]
    world.shows(NFL, *shown)

    poll_list = await world.collect()

    # asked because of the one, ESPN tells of the other as well
    assert {row[0] for row in world.results()} == {"Bears", "Eagles"}
    assert {row[4] for row in world.results()} == {"espn"}
    assert poll_list[NFL, "espn"].games == 2
    asked = len(world.espn.asked)

    world.forget_looks()
    patient = world.played(NFL, "Jets", "Colts", ago=3)
    await world.collect()
    assert len(world.espn.asked) == asked
    world.states(NFL, patient, 3, 0, ago=3)
    world.forget_looks()
    await world.collect()
    assert ("Jets", "full", 3, 0, "odds-api", False) in world.results()


@pytest.mark.parametrize("world", [0], indirect=True, ids=["no credits"])
async def test_espn_fills_in_where_no_credit_is_left(world: World) -> None:
    world.played(NFL, "Eagles", "Commanders", ago=3)
    world.shows(NFL, event("Eagles", "Commanders", ("26", "18"), date=at(3)))

    poll_list = await world.collect()

    assert poll_list.keys() == {(NFL, "espn")}, (
        "a feed that says for free that no credit is left is not asked for scores"
    )
    assert world.results() == [
        ("Eagles", "full", 26, 18, "espn", False),
        ("Eagles", "regulation", 26, 18, "espn", False),
    ]


async def test_the_feed_says_what_is_left_before_anything_is_spent(world: World) -> None:
    """A database that knows nothing asks for free, and keeps the answer; the second time it is known."""
    key = world.played(NFL, "Eagles", "Commanders", ago=6)
    world.states(NFL, key, 26, 18, ago=6)
    assert skip_reason(world.settings, NOW) is None

    poll_list = await world.collect()

    assert poll_list[NFL, "odds-api"].credits_last == 2
    assert world.rows("SELECT feed, remaining FROM credit_statements") == [("odds-api", 20_000)]


async def test_both_down_is_two_failures_and_no_result(world: World) -> None:
    world.played(CUP, "Spain", "Argentina", ago=6)
    world.scores.sports = list  # type: ignore[method-assign]

    poll_list = await world.collect()

    assert "UnknownSportError" in str(poll_list[CUP, "odds-api"].failure)
    assert poll_list[CUP, "espn"].failure == "EspnStatusError: ESPN answered 404"
    assert world.results() == []
    assert len(world.rows("SELECT 1 FROM result_polls WHERE failure IS NOT NULL")) == 2


async def test_a_world_cup_match_gets_the_result_of_ninety_minutes(world: World) -> None:
    key = world.played(CUP, "Spain", "Argentina", ago=3)
    world.states(CUP, key, 2, 1, ago=3)
    world.shows(CUP, soccer("Spain", "Argentina", ("2", "1"), date=at(3), **EXTRA_TIME))

    await world.collect()

    assert world.results() == [
        ("Spain", "full", 2, 1, "espn", False),
        ("Spain", "regulation", 1, 1, "espn", False),
        ("Spain", "unstated", 2, 1, "odds-api", False),
    ]


async def test_home_and_away_are_matched_by_name(world: World) -> None:
    world.played(CUP, "Argentina", "Spain", ago=6)
    world.shows(CUP, soccer("Spain", "Argentina", ("2", "1"), date=at(6), **EXTRA_TIME))

    await world.collect()

    assert world.results() == [
        ("Argentina", "full", 1, 2, "espn", False),
        ("Argentina", "regulation", 1, 1, "espn", False),
    ]


async def test_the_scores_are_told_by_name_too(world: World) -> None:
    """The feed has exchanged home and away since it was polled; under another game's id there is no score at all."""
    world.played(NFL, "Eagles", "Commanders", ago=6)
    key = world.played(NFL, "Bears", "Packers", ago=6)
    world.states(NFL, "Commanders-Eagles", 18, 26, ago=6)
    world.states(NFL, "Jets-Colts", 3, 0, ago=6)
    ids = ("Eagles-Commanders", key)
    world.scores.games = [replace(game, id=known) for game, known in zip(world.scores.games, ids, strict=True)]

    poll_list = await world.collect()

    assert world.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    assert poll_list[NFL, "odds-api"].rejected == {"other_teams": 1}


async def test_one_odd_entry_of_the_scores_costs_no_other(world: World) -> None:
    for home, away in (("Eagles", "Commanders"), ("Bears", "Packers")):
        world.states(NFL, world.played(NFL, home, away, ago=6), 26, 18, ago=6)
    world.scores.games[1] = replace(world.scores.games[1], completed=None)

    poll_list = await world.collect()

    assert world.results() == [("Eagles", "full", 26, 18, "odds-api", False)]
    assert poll_list[NFL, "odds-api"].rejected["malformed_entry"] == 1


async def test_contradictions_are_kept_counted_and_listed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    key = world.played(NFL, "Eagles", "Commanders", ago=6)
    world.states(NFL, key, 26, 18, ago=6)
    world.played(NFL, "Bears", "Packers", ago=6)
    world.shows(NFL, event("Eagles", "Commanders", ("26", "16"), date=at(6)))

    poll_list = await world.collect()

    assert poll_list[NFL, "espn"].contradicted_events == 1
    assert "contradict each other" in caplog.text
    assert world.results()[0] == ("Eagles", "full", 26, 18, "odds-api", True)
    with closing(connect(world.database, "test")) as conn:
        [found] = load_contradictions(conn)
    assert (found.home_team, found.period) == ("Eagles", "full")
    assert sorted(found.statements) == ["espn final 26-16", "odds-api final 26-18"]


async def test_sources_are_left_alone_for_a_while(world: World) -> None:
    world.played(EPL, "Arsenal", "Everton", ago=6)
    assert (await world.collect()).keys() == {(EPL, "odds-api"), (EPL, "espn")}

    assert await world.collect() == {}
    now = datetime.now(UTC)
    assert skip_reason(world.settings, now) == "all sources were polled recently"
    assert skip_reason(world.settings, now + timedelta(hours=1)) is None


async def test_a_replay_asks_its_own_server_only(world: World) -> None:
    """ESPN's present would tell a replay the future."""
    key = world.played(NFL, "Eagles", "Commanders", ago=6)
    world.played(NFL, "Bears", "Packers", ago=6)
    world.states(NFL, key, 26, 18, ago=6)
    world.settings = world.settings.model_copy(update={"edge_feed": Feed.REPLAY})

    assert (await world.collect()).keys() == {(NFL, "odds-api")}
    assert len(world.results()) == 1
    assert world.espn.asked == []


@pytest.mark.parametrize(
    "later", [{"status": "STATUS_IN_PROGRESS", "completed": False, "period": 2}, {"status": "ODD"}]
)
async def test_the_other_half_of_a_doubleheader_settles_nothing(world: World, later: dict[str, Any]) -> None:
    """The half that is over is not ours while the one that is ours has no result yet."""
    world.played(MLB, "Cubs", "Mets", ago=8)
    teams = "Chicago Cubs", "New York Mets"
    over = event(*teams, ("3", "2"), date=at(14), period=9, regulation=9)
    world.shows(MLB, over, event(*teams, ("1", "0"), date=at(8), regulation=9, **later))

    await world.collect()
    assert world.results() == []

    world.shows(MLB, over, event(*teams, ("1", "0"), date=at(8), period=9, regulation=9))
    world.forget_looks()
    await world.collect()
    assert world.results() == [("Cubs", "full", 1, 0, "espn", False), ("Cubs", "regulation", 1, 0, "espn", False)]
