"""Results: The Odds API's scores as the credits allow, ESPN's scoreboards if they are late, unavailable or unclear."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psycopg

from edge_assets.core.clock import to_micros
from edge_assets.core.settings import Feed, MissingSettingError
from edge_assets.feeds.espn.client import EspnClient
from edge_assets.feeds.espn.errors import EspnError
from edge_assets.feeds.espn.leagues import LEAGUES_BY_SPORT
from edge_assets.feeds.odds_api.errors import OddsApiError
from edge_assets.feeds.odds_api.scores import has_scores, parse_finished_games
from edge_assets.ingestion.cadence import CreditBudget
from edge_assets.ingestion.clients import create_feed_client, create_feed_clock
from edge_assets.ingestion.credits import fetch_sports, latest_credit_statement
from edge_assets.ingestion.result_cadence import (
    MIN_GAME_DURATION,
    MIN_RESULT_INTERVAL,
    RESULT_OVERDUE_AFTER,
    SCORES_LOOKBACK,
    has_open_bets,
    is_due,
    scores_interval,
)
from edge_assets.ingestion.sensor_state import StateUnavailableError, feed_terms
from edge_assets.matching import Fixture, are_sides_swapped, match_fixtures
from edge_assets.reference.sources import Source
from edge_assets.store.events.result_polls import (
    ResultPoll,
    load_last_result_polls,
    load_started_events,
    write_result_poll,
)
from edge_assets.store.events.results import StatedResult, write_results
from edge_assets.store.events.statistics import StatisticColumns, write_statistics
from edge_assets.store.polls.credits import write_credit_statement
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from edge_assets.core.settings import Settings
    from edge_assets.feeds.espn.results import EspnGame
    from edge_assets.feeds.odds_api.client import OddsApiClient
    from edge_assets.feeds.odds_api.scores import FinishedGame
    from edge_assets.store.events.result_polls import StartedEvent
    from ml.settlement import GameReport

DAY = timedelta(days=1)


async def collect_results(settings: Settings, run_id: str) -> list[ResultPoll]:
    """Fetch the results of every game that is over and has none; returns one poll per source and sport asked.

    A source's failure is in its poll. Raises `MissingSettingError` without a database or a key, and
    `StateUnavailableError` if a replay or simulation does not answer.
    """
    url, clock = settings.require_database_url(), create_feed_clock(settings)
    async with AsyncExitStack() as stack:
        connection = stack.enter_context(closing(connect(url, "edge-results")))
        client = await stack.enter_async_context(create_feed_client(settings, clock))
        espn = await stack.enter_async_context(EspnClient(settings.espn_url))
        _, stated = await fetch_sports(client, clock)
        if stated is not None:
            write_credit_statement(connection, settings.edge_feed.value, stated)
        elif settings.edge_feed is not Feed.ODDS_API:
            raise StateUnavailableError("the feed does not answer, so its time is unknown")
        # a replayed or simulated game is not ESPN's, and current scores would leak the future into a replay
        collector = _ResultCollector(connection, client, espn if settings.edge_feed is Feed.ODDS_API else None, run_id)
        return await collector.run(load_pending_results(connection, settings, clock.now()))


def skip_reason(settings: Settings, now: datetime) -> str | None:
    """Why no results need to be fetched; None if some do, or may.

    Raises `StateUnavailableError` if no database is configured or it does not answer.
    """
    if settings.edge_feed is not Feed.ODDS_API:
        return None  # only the feed knows its time
    try:
        with closing(connect(settings.require_database_url(), "edge-schedule")) as connection:
            pending = load_pending_results(connection, settings, now)
    except (MissingSettingError, psycopg.Error) as error:
        raise StateUnavailableError(f"{type(error).__name__}: {error}") from error
    if not pending.events:
        return "no event is missing a result"
    return None if pending.scores_due | pending.espn_due else "all sources were polled recently"


@dataclass(frozen=True, slots=True)
class PendingResults:
    """Events without a result at `now`, by sport, and the sports for which each source is due."""

    now: datetime
    events: Mapping[str, Sequence[StartedEvent]]
    scores_due: frozenset[str]
    espn_due: frozenset[str]


def load_pending_results(connection: psycopg.Connection, settings: Settings, now: datetime) -> PendingResults:
    """Load the events that need a result."""
    sports = [sport for sport in settings.edge_sports if has_scores(sport)]
    started = load_started_events(connection, sports, now - SCORES_LOOKBACK, now - MIN_GAME_DURATION)
    missing = [event for event in started if has_open_bets(event.sport, frozenset(event.periods))]
    events = {sport: list(found) for sport, found in groupby(missing, attrgetter("sport"))}
    last_result_polls, terms = load_last_result_polls(connection), feed_terms(settings)
    budget = CreditBudget.from_statement(
        now, latest_credit_statement(connection, settings.edge_feed.value, terms.credits_per_poll, now)
    )
    interval = scores_interval(len(events), now, terms, budget)
    return PendingResults(
        now,
        events,
        frozenset(s for s in events if is_due(now, last_result_polls.get((s, Source.ODDS_API)), interval)),
        frozenset(
            s
            for s in LEAGUES_BY_SPORT.keys() & events
            if is_due(now, last_result_polls.get((s, Source.ESPN)), MIN_RESULT_INTERVAL)
        ),
    )


@dataclass(frozen=True, slots=True)
class _ResultCollector:
    connection: psycopg.Connection
    client: OddsApiClient
    espn: EspnClient | None
    run_id: str

    async def run(self, pending: PendingResults) -> list[ResultPoll]:
        polls = []
        for sport, events in pending.events.items():
            scores = await self._poll_scores(sport, pending.now) if sport in pending.scores_due else None
            polls += [scores] if scores else []
            missing = self._find_missing(
                events, pending.now, only_overdue=scores is not None and scores.failure is None
            )
            if missing and self.espn is not None and sport in pending.espn_due:
                polls.append(await self._poll_scoreboard(self.espn, sport, missing, pending.now))
        for poll in polls:
            write_result_poll(self.connection, poll, self.run_id)
        return polls

    async def _poll_scores(self, sport: str, now: datetime) -> ResultPoll:
        poll = ResultPoll(sport, Source.ODDS_API, now)
        try:
            answer = await self.client.scores(sport, days_from=SCORES_LOOKBACK.days)
        except OddsApiError as error:
            spent = error.spending.credits or None
            return replace(poll, failure=f"{type(error).__name__}: {error}", credits_last=spent)
        games, rejected = parse_finished_games(sport, answer.items)
        started = load_started_events(self.connection, [sport], now - SCORES_LOOKBACK - DAY, now)
        stated, unmatched = _results_from_scores(sport, games, started, now)
        poll = replace(poll, credits_last=answer.credits)
        return self._store(poll, stated, answer.rejected + rejected + unmatched)

    async def _poll_scoreboard(
        self, espn: EspnClient, sport: str, missing: Sequence[StartedEvent], now: datetime
    ) -> ResultPoll:
        """Poll the days of events without a result; their other games help to match teams."""
        poll = ResultPoll(sport, Source.ESPN, now)
        first, last = (event.commence_at for event in (missing[0], missing[-1]))
        try:
            # scoreboards use American dates: add a day on both sides, up to the last game that may be over
            days = (first - DAY).date(), min(last + DAY, now).date()
            games, rejected = await espn.games(sport, *days)
        except EspnError as error:
            return replace(poll, failure=f"{type(error).__name__}: {error}")
        ours = load_started_events(self.connection, [sport], first - 2 * DAY, now)
        matches, unmatched = _match_scoreboard(sport, games, ours)
        stated = [
            StatedResult(match.event_id, Source.ESPN, now, _orient_report(match.report, match.is_swapped))
            for match in matches
        ]
        write_statistics(self.connection, _statistics_from_scoreboard(matches, now), Source.ESPN)
        return self._store(poll, stated, rejected + unmatched)

    def _store(self, poll: ResultPoll, stated: Sequence[StatedResult], rejected: Counter[str]) -> ResultPoll:
        written = write_results(self.connection, stated)
        return replace(
            poll,
            games=len(stated),
            new=written.new,
            contradicted_events=written.contradicted_events,
            rejected=dict(+rejected),
        )

    def _find_missing(self, events: Sequence[StartedEvent], now: datetime, *, only_overdue: bool) -> list[StartedEvent]:
        """Events still without a result; if The Odds API has just answered, only the overdue ones."""
        since, until = events[0].commence_at - timedelta(seconds=1), events[-1].commence_at
        reloaded = load_started_events(self.connection, [events[0].sport], since, until)
        missing = [event for event in reloaded if has_open_bets(event.sport, frozenset(event.periods))]
        return [e for e in missing if not only_overdue or e.periods or now - e.commence_at >= RESULT_OVERDUE_AFTER]


def _results_from_scores(
    sport: str, games: Sequence[FinishedGame], events: Sequence[StartedEvent], now: datetime
) -> tuple[list[StatedResult], Counter[str]]:
    """The Odds API's games as results of our events, matched by id; home and away are matched by name."""
    ours = {key: event for event in events for key in event.keys}
    stated, unmatched = [], Counter[str]()
    for game in games:
        if (event := ours.get(game.event)) is None:
            unmatched["unknown_event"] += 1
            continue
        swapped = are_sides_swapped(sport, (event.home_team, event.away_team), (game.home, game.away))
        if swapped is None:
            unmatched["other_teams"] += 1
            continue
        stated.append(StatedResult(event.id, Source.ODDS_API, now, _orient_report(game.report, swapped)))
    return stated, unmatched


class _ScoreboardMatch(NamedTuple):
    """A finished game of ESPN's, the id of our event, and whether ESPN names our away team as the home team."""

    event_id: int
    game: EspnGame
    report: GameReport
    is_swapped: bool


def _match_scoreboard(
    sport: str, games: Sequence[EspnGame], events: Sequence[StartedEvent]
) -> tuple[list[_ScoreboardMatch], Counter[str]]:
    """ESPN's finished games with our events; unfinished games take part in the matching too."""
    theirs = [Fixture(game.home, game.away, game.start) for game in games]
    ours = [Fixture(event.home_team, event.away_team, event.commence_at) for event in events]
    matches, ambiguous = match_fixtures(sport, Source.ESPN, theirs, ours)
    finished = {n: game.report for n, game in enumerate(games) if game.report is not None}
    found = [
        _ScoreboardMatch(events[m.our_index].id, games[m.their_index], finished[m.their_index], m.is_swapped)
        for m in matches
        if m.their_index in finished
    ]
    ambiguous_finished = len(finished.keys() & {*ambiguous})
    return found, +Counter(
        unknown_event=len(finished) - len(found) - ambiguous_finished, ambiguous_event=ambiguous_finished
    )


def _statistics_from_scoreboard(matches: Sequence[_ScoreboardMatch], now: datetime) -> StatisticColumns:
    rows = [
        (match.event_id, statistic, *(counts[::-1] if match.is_swapped else counts))
        for match in matches
        for statistic, counts in match.game.statistics.items()
    ]
    event, statistic, home, away = np.array(rows, np.int64).reshape(-1, 4).T
    return StatisticColumns(event, statistic, home, away, np.full(len(rows), to_micros(now)))


def _orient_report(report: GameReport, swapped: bool) -> GameReport:
    return report.swap_sides() if swapped else report
