"""The scorers of all sports, each restored from the database when first needed.

A failure affects only its own sport: it is recorded, and the sport is retried from its last committed poll when due.
Nothing is lost, since the database has the polls; the other sports continue.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from edge_assets.core.clock import to_datetime, to_micros
from edge_assets.reference.book_profiles import book_profile
from edge_assets.store.alerts import alert_log
from edge_assets.store.alerts.fair_prices import store_fair_prices
from edge_assets.store.analytics.book_weights import load_weights_at
from edge_assets.store.lookups import load_sports
from edge_assets.store.polls import activity, as_of
from edge_assets.store.postgres.database import is_connection_lost
from ml.points import point_models_for
from ml.quotes import MAX_CLOCK_SKEW_MICROS
from ml.scoring import BookProfile, ScoringRules, SportScorer
from ml.scoring.alert_book import Moment
from serving.scorer.failures import FailingSports
from serving.scorer.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from edge_assets.store.analytics.book_weights import PublishedWeights
    from edge_assets.store.polls.as_of import UnscoredPoll
    from edge_assets.store.polls.dimensions import IdRegistry
    from ml.quotes import Micros, PollChanges
    from ml.scoring import ScoringResult


log = logging.getLogger(__name__)


@dataclass(slots=True)
class _SportState:
    scorer: SportScorer
    poll_id: int
    observed_at: Micros
    weights: PublishedWeights


class SportScorers:
    """Scores polls and commits their alerts together with the progress of each sport.

    Book weights are those published by the warehouse at the time of each poll; `weights` overrides single ones, by book
    key. `is_live`: a poll stamped later than it was received means that the clock has been set back since; it is valued
    at the time of receipt, or every price would count as stale.
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        ids: IdRegistry,
        rules: ScoringRules,
        weights: Mapping[str, float],
        *,
        is_live: bool = False,
        shard: Shard = Shard(),  # noqa: B008 - immutable
    ) -> None:
        self._conn = conn
        self._shard = shard
        self._ids = ids
        self._rules = rules
        self._weights = weights
        self._is_live = is_live
        self._sports: dict[int, _SportState] = {}
        self._unwritten: set[int] = set()
        self._failing = FailingSports(conn, owns=self._owns)

    @property
    def failing(self) -> Collection[int]:
        """The sports whose scoring currently fails."""
        return self._failing.sports

    @property
    def excluded_sports(self) -> Collection[int]:
        """The sports not scored here: those that currently fail, and those of other shards."""
        if self._shard.count == 1:
            return self.failing
        others = [sport.id for key, sport in load_sports(self._conn).items() if not self._shard.owns(key)]
        return {*self.failing, *others}

    @property
    def has_unwritten_prices(self) -> bool:
        """Whether some fair prices are newer than those in the database."""
        return bool(self._unwritten)

    def unscored_polls(self) -> list[UnscoredPoll]:
        """The committed polls that have not been scored, in order; those of failing sports wait for `retry`."""
        polls = as_of.load_unscored_polls(self._conn)
        return [poll for poll in polls if poll.sport_id not in self._failing and self._owns(poll.sport_id)]

    def score_from_database(self, poll: UnscoredPoll) -> bool:
        """Score a poll from the database; return whether there are alerts."""
        if poll.sport_id in self._failing:  # it failed after `unscored_polls` listed the poll
            return False
        return self._attempt(poll.sport_id, partial(self._score_stored, poll))

    def score(self, changes: PollChanges) -> bool:
        """Score a poll from the stream and commit its alerts; return whether there are any.

        Polls that have been scored are skipped; polls that the stream has skipped are scored first. Polls of a failing
        sport are not scored here but read from the database, in order, when it is retried.
        """
        if not self._shard.owns(changes.sport):
            return False
        sport_id = self._ids.sport(changes.sport)
        if sport_id in self._failing:
            return False
        return self._attempt(sport_id, partial(self._score_after_skipped, sport_id, changes))

    def tick(self, now: Micros) -> bool:
        """Advance the time of every sport; return whether there are alerts."""
        found = [self._attempt(sport_id, partial(self._tick, sport_id, now)) for sport_id in list(self._sports)]
        return any(found)

    def restore_all(self) -> None:
        """Restore every sport that has been scored before."""
        for sport_id in alert_log.load_scorer_progress(self._conn):
            if sport_id not in self._failing and self._owns(sport_id):
                self._attempt(sport_id, partial(self._restore, sport_id))

    def retry(self, now: Micros | None) -> bool:
        """Retry the failing sports that are due; return whether there may be alerts.

        `now` is None where only polls advance the time.
        """
        due = self._failing.due_sports()
        for sport_id in due:
            self._attempt(sport_id, partial(self._recover, sport_id, now))
        return bool(due)

    def write_fair_prices(self) -> None:
        """Write the fair prices of one sport that has been scored since the last write, for the API.

        No alert depends on them, so errors here are logged and stop no alert.
        """
        if not self._unwritten:
            return
        sport_id = self._unwritten.pop()
        sport = self._sports.get(sport_id)
        if sport is None:
            return
        try:
            prices = sport.scorer.fair_prices()
            store_fair_prices(self._conn, sport_id, sport.poll_id, sport.scorer.now, prices)
        except Exception as error:
            if isinstance(error, psycopg.Error) and is_connection_lost(error):
                raise
            log.exception("the fair prices of %s were not written", self._ids.sport_key(sport_id))

    def _owns(self, sport_id: int) -> bool:
        return self._shard.owns(self._ids.sport_key(sport_id))

    def _attempt(self, sport_id: int, work: Callable[[], bool]) -> bool:
        """Run `work` for a sport; on an error record the failure and drop the sport's state in memory."""
        try:
            return work()
        except Exception as error:  # any error must leave the other sports unaffected
            if isinstance(error, psycopg.Error) and is_connection_lost(error):
                raise  # a new worker reconnects
            self._sports.pop(sport_id, None)
            self._failing.record(sport_id, self._ids.sport_key(sport_id), error)
            return False

    def _recover(self, sport_id: int, now: Micros | None) -> bool:
        """Catch up on everything since the failure; another failure leaves the sport at its last committed poll."""
        self._restore(sport_id)
        for poll in as_of.load_unscored_polls(self._conn, sport_id):
            self._score_stored(poll)
        if now is not None:
            self._tick(sport_id, now)
        self._failing.clear(sport_id, self._ids.sport_key(sport_id))
        return True

    def _score_after_skipped(self, sport_id: int, changes: PollChanges) -> bool:
        sport = self._load_sport(sport_id)
        skipped = as_of.load_polls_between(self._conn, sport_id, sport.observed_at, changes.observed_at)
        found = [self._score_stored(poll) for poll in skipped]
        return self._score(sport_id, changes) or any(found)

    def _score_stored(self, poll: UnscoredPoll) -> bool:
        return self._score(poll.sport_id, as_of.load_poll_changes(self._conn, poll.poll_id))

    def _score(self, sport_id: int, changes: PollChanges) -> bool:
        sport = self._load_sport(sport_id)
        if changes.poll_id <= sport.poll_id:
            return False
        sport = self._with_new_weights(sport_id, sport, changes.observed_at)
        valued_at = self._valuation_time(changes.observed_at, changes.received_at)
        step = sport.scorer.apply_poll(replace(changes, observed_at=valued_at))
        self._commit(sport_id, changes.poll_id, changes.observed_at, step)
        sport.poll_id, sport.observed_at = changes.poll_id, changes.observed_at
        return bool(step.alerts)

    def _valuation_time(self, observed_at: Micros, received_at: Micros) -> Micros:
        return received_at if self._is_live and observed_at - received_at > MAX_CLOCK_SKEW_MICROS else observed_at

    def _tick(self, sport_id: int, now: Micros) -> bool:
        sport = self._load_sport(sport_id)
        step = sport.scorer.advance_time(now)
        if step.alerts or step.suppressed:
            self._commit(sport_id, sport.poll_id, now, step)
        return bool(step.alerts)

    def _commit(self, sport_id: int, poll_id: int, observed_at: Micros, step: ScoringResult) -> None:
        alert_log.commit_scoring_step(
            self._conn,
            sport_id,
            poll_id,
            observed_at,
            step.alerts,
            step.suppressed,
            has_other_writers=self._shard.count > 1,
        )
        self._unwritten.add(sport_id)

    def _restore(self, sport_id: int) -> bool:
        self._load_sport(sport_id)
        return False

    def _load_sport(self, sport_id: int) -> _SportState:
        sport = self._sports.get(sport_id)
        if sport is None:
            progress = alert_log.load_scorer_progress(self._conn).get(sport_id)
            poll_id = progress.poll_id if progress else 0
            observed_at = as_of.load_market_state(self._conn, sport_id, upto_poll=poll_id)[2] if poll_id else 0
            publication = load_weights_at(self._conn, sport_id, to_datetime(observed_at))
            sport = self._sports[sport_id] = self._restore_state(sport_id, poll_id, publication)
        return sport

    def _with_new_weights(self, sport_id: int, sport: _SportState, observed_at: Micros) -> _SportState:
        """The sport with the weights in force at `observed_at`; if they have changed, it is restored with them."""
        publication = load_weights_at(self._conn, sport_id, to_datetime(observed_at))
        if publication.valid_from != sport.weights.valid_from:
            sport = self._sports[sport_id] = self._restore_state(sport_id, sport.poll_id, publication)
        return sport

    def _restore_state(self, sport_id: int, poll_id: int, publication: PublishedWeights) -> _SportState:
        key = self._ids.sport_key(sport_id)
        weights = {**publication.weights, **self._weights}

        def profile_of(book: int) -> BookProfile:
            return book_profile(self._ids.book_key(book), weights, key)

        scorer = SportScorer(self._rules, profile_of, point_models_for(key))
        observed_at = 0
        if poll_id:
            self._unwritten.add(sport_id)
            received = activity.find_received_at(self._conn, poll_id)
            quotes, polls = as_of.load_last_quotes(self._conn, sport_id, upto_poll=poll_id)
            times, starts, observed_at = as_of.load_market_state(self._conn, sport_id, upto_poll=poll_id)
            scorer.restore(
                quotes,
                polls,
                times,
                starts,
                Moment(self._valuation_time(observed_at, to_micros(received) if received else observed_at), poll_id),
                alert_log.load_open_alerts(self._conn, sport_id),
            )
        return _SportState(scorer, poll_id, observed_at, publication)
