"""Results: The Odds API's scores as far as the credits go, ESPN's scoreboards where they are late, down or unclear."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import psycopg

from edge_assets.feeds.espn.client import EspnClient
from edge_assets.feeds.espn.errors import EspnError
from edge_assets.feeds.espn.leagues import LEAGUES
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.scores import finished_games, has_scores
from edge_assets.ingestion.cadence import Budget
from edge_assets.ingestion.clients import feed_client, feed_clock
from edge_assets.ingestion.credits import ask_sports, newest_credits
from edge_assets.ingestion.facts import FactsUnavailableError, terms_of
from edge_assets.ingestion.result_cadence import GAME_LASTS, LATE, OFTEN, REACH, is_due, scores_interval, wants_result
from edge_assets.matching import Fixture, are_exchanged, match_fixtures
from edge_assets.settings import Feed, MissingSettingError
from edge_assets.store.credits import write_statement
from edge_assets.store.database import connect
from edge_assets.store.result_looks import ResultLook, last_result_looks, started_events, write_result_look
from edge_assets.store.results import ResultSource, StatedResult, write_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from edge_assets.feeds.espn.results import EspnGame
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.feeds.odds_api.scores import FinishedGame
    from edge_assets.settings import Settings
    from edge_assets.store.result_looks import StartedEvent
    from ml.settlement import GameReport

DAY = timedelta(days=1)


async def collect_results(settings: Settings, run_id: str) -> list[ResultLook]:
    """Ask for the results of every game that is over and has none; one look for each source and sport that was asked.

    What went wrong with a source is in its look. Raises `MissingSettingError` without a database or a key, and
    `FactsUnavailableError` if a replay or a simulation does not answer.
    """
    url, clock = settings.require_database(), feed_clock(settings)
    async with AsyncExitStack() as stack:
        connection = stack.enter_context(closing(connect(url, "edge-results")))
        client = await stack.enter_async_context(feed_client(settings, clock))
        espn = await stack.enter_async_context(EspnClient(settings.espn_url))
        _, stated = await ask_sports(client, clock)
        if stated is not None:
            write_statement(connection, settings.edge_feed.value, stated)
        elif settings.edge_feed is not Feed.ODDS_API:
            raise FactsUnavailableError("the feed does not answer, and only it knows what time it is there")
        # a replayed or simulated game is not ESPN's, and its present would tell a replay the future
        collector = _Collector(connection, client, espn if settings.edge_feed is Feed.ODDS_API else None, run_id)
        return await collector.run(waiting(connection, settings, clock.now()))


def nothing_to_ask(settings: Settings, now: datetime) -> str | None:
    """Why there is no need to ask for results; None if there is, or may be.

    Raises `FactsUnavailableError` if the database is not set or does not answer.
    """
    if settings.edge_feed is not Feed.ODDS_API:
        return None  # only the feed knows what time it is there
    try:
        with closing(connect(settings.require_database(), "edge-schedule")) as connection:
            found = waiting(connection, settings, now)
    except (MissingSettingError, psycopg.Error) as error:
        raise FactsUnavailableError(f"{type(error).__name__}: {error}") from error
    if not found.events:
        return "no game waits for a result"
    return None if found.scores_due | found.espn_due else "the sources were asked a short time ago"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to ask at `now`: events without a result by sport, and which sources are due for a sport."""

    now: datetime
    events: Mapping[str, Sequence[StartedEvent]]
    scores_due: frozenset[str]
    espn_due: frozenset[str]


def waiting(connection: psycopg.Connection, settings: Settings, now: datetime) -> Waiting:
    """Read what waits for a result."""
    sports = [sport for sport in settings.edge_sports if has_scores(sport)]
    started = started_events(connection, sports, now - REACH, now - GAME_LASTS)
    lacking = [event for event in started if wants_result(event.sport, frozenset(event.periods))]
    events = {sport: list(found) for sport, found in groupby(lacking, attrgetter("sport"))}
    last, terms = last_result_looks(connection), terms_of(settings)
    budget = Budget.at(now, newest_credits(connection, settings.edge_feed.value, terms.cost, now))
    interval = scores_interval(len(events), now, terms, budget)
    return Waiting(
        now,
        events,
        frozenset(s for s in events if is_due(now, last.get((s, ResultSource.ODDS_API)), interval)),
        frozenset(s for s in LEAGUES.keys() & events if is_due(now, last.get((s, ResultSource.ESPN)), OFTEN)),
    )


@dataclass(frozen=True, slots=True)
class _Collector:
    connection: psycopg.Connection
    client: OddsApiClient
    espn: EspnClient | None
    run_id: str

    async def run(self, asked: Waiting) -> list[ResultLook]:
        looks = []
        for sport, events in asked.events.items():
            scores = await self._scores(sport, asked.now) if sport in asked.scores_due else None
            looks += [scores] if scores else []
            left = self._left(events, asked.now, patient=scores is not None and scores.failure is None)
            if left and self.espn is not None and sport in asked.espn_due:
                looks.append(await self._scoreboard(self.espn, sport, left, asked.now))
        for look in looks:
            write_result_look(self.connection, look, self.run_id)
        return looks

    async def _scores(self, sport: str, now: datetime) -> ResultLook:
        look = ResultLook(sport, ResultSource.ODDS_API, now)
        try:
            answer = await self.client.scores(sport, days_from=REACH.days)
        except OddsApiError as error:
            spent = error.spending.credits or None
            return replace(look, failure=f"{type(error).__name__}: {error}", credits_last=spent)
        games, rejected = finished_games(sport, answer.found)
        started = started_events(self.connection, [sport], now - REACH - DAY, now)
        stated, unmatched = _stated(sport, games, started, now)
        look = replace(look, credits_last=answer.credits)
        return self._stored(look, stated, answer.rejected + rejected + unmatched)

    async def _scoreboard(
        self, espn: EspnClient, sport: str, lacking: Sequence[StartedEvent], now: datetime
    ) -> ResultLook:
        """Ask for the days of events that lack a result; the other games of those days are compared with ours."""
        look = ResultLook(sport, ResultSource.ESPN, now)
        first, last = (event.commence_at for event in (lacking[0], lacking[-1]))
        try:
            # boards are by American days: a day more on both sides, as far as there are games that may be over
            days = (first - DAY).date(), min(last + DAY, now).date()
            games, rejected = await espn.games(sport, *days)
        except EspnError as error:
            return replace(look, failure=f"{type(error).__name__}: {error}")
        ours = started_events(self.connection, [sport], first - 2 * DAY, now)
        stated, unmatched = _matched(sport, games, ours, now)
        return self._stored(look, stated, rejected + unmatched)

    def _stored(self, look: ResultLook, stated: Sequence[StatedResult], rejected: Counter[str]) -> ResultLook:
        written = write_results(self.connection, stated)
        return replace(
            look,
            games=len(stated),
            new=written.new,
            contradicted_events=written.contradicted_events,
            rejected=dict(+rejected),
        )

    def _left(self, events: Sequence[StartedEvent], now: datetime, *, patient: bool) -> list[StartedEvent]:
        """Events that still lack a result; if The Odds API has just answered, those that it should have known."""
        since, until = events[0].commence_at - timedelta(seconds=1), events[-1].commence_at
        again = started_events(self.connection, [events[0].sport], since, until)
        lacking = [event for event in again if wants_result(event.sport, frozenset(event.periods))]
        return [e for e in lacking if not patient or e.periods or now - e.commence_at >= LATE]


def _stated(
    sport: str, games: Sequence[FinishedGame], events: Sequence[StartedEvent], now: datetime
) -> tuple[list[StatedResult], Counter[str]]:
    """The Odds API's games as results of our events, which it names by id; home and away are told by name."""
    ours = {key: event for event in events for key in event.keys}
    stated, unmatched = [], Counter[str]()
    for game in games:
        if (event := ours.get(game.event)) is None:
            unmatched["unknown_event"] += 1
            continue
        exchanged = are_exchanged(sport, (event.home_team, event.away_team), (game.home, game.away))
        if exchanged is None:
            unmatched["other_teams"] += 1
            continue
        stated.append(StatedResult(event.id, ResultSource.ODDS_API, now, _turned(game.report, exchanged)))
    return stated, unmatched


def _matched(
    sport: str, games: Sequence[EspnGame], events: Sequence[StartedEvent], now: datetime
) -> tuple[list[StatedResult], Counter[str]]:
    """ESPN's games that are over as results of our events; every game is one that an event may be."""
    theirs = [Fixture(game.home, game.away, game.start) for game in games]
    ours = [Fixture(event.home_team, event.away_team, event.commence_at) for event in events]
    matches, ambiguous = match_fixtures(sport, ResultSource.ESPN, theirs, ours)
    over = {n: game.report for n, game in enumerate(games) if game.report is not None}
    stated = [
        StatedResult(events[m.ours].id, ResultSource.ESPN, now, _turned(over[m.theirs], m.exchanged))
        for m in matches
        if m.theirs in over
    ]
    unclear = len(over.keys() & {*ambiguous})
    return stated, +Counter(unknown_event=len(over) - len(stated) - unclear, ambiguous_event=unclear)


def _turned(report: GameReport, exchanged: bool) -> GameReport:
    return report.turned() if exchanged else report
