"""The scorers of all sports, each restored from the database when it is first met.

A failure in one sport is that sport's alone: it is recorded, and the sport starts over from its last committed poll
when it is due again. Nothing of it is lost, as the database has the polls; the others go on.
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

MAX_CLOCK_SKEW_MICROS: Micros = 60_000_000


@dataclass(slots=True)
class _SportState:
    scorer: SportScorer
    poll_id: int
    observed_at: Micros
    weights: PublishedWeights


class SportScorers:
    """Scores polls and commits what comes of them, together with how far each sport has come.

    Books count as the warehouse has measured them by the time of each poll; `weights` overrides single ones, by their
    keys. `is_live`: polls that are ahead of when they were received were put there as the clock had been set back; they
    are valued as of then, or every price would be too old.
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
        """The sports whose scoring fails at present."""
        return self._failing.sports

    @property
    def excluded(self) -> Collection[int]:
        """The sports that are not scored at present: those that fail, and those of other shards."""
        if self._shard.count == 1:
            return self.failing
        others = [sport.id for key, sport in load_sports(self._conn).items() if not self._shard.owns(key)]
        return {*self.failing, *others}

    @property
    def has_unwritten_prices(self) -> bool:
        """Whether fair prices are newer than those that the database has."""
        return bool(self._unwritten)

    def unscored_polls(self) -> list[UnscoredPoll]:
        """The committed polls that were not scored yet, in order; those of sports that fail wait for `retry`."""
        polls = as_of.load_unscored_polls(self._conn)
        return [poll for poll in polls if poll.sport_id not in self._failing and self._owns(poll.sport_id)]

    def score_from_database(self, poll: UnscoredPoll) -> bool:
        """Score a poll that the database has."""
        if poll.sport_id in self._failing:  # since `unscored_polls` was asked
            return False
        return self._attempt(poll.sport_id, partial(self._score_stored, poll))

    def score(self, changes: PollChanges) -> bool:
        """Score a poll from the stream and commit its alerts; return whether there are any. What was scored is skipped.

        What the stream has skipped is scored first. Nothing is scored of a sport that fails: its polls are taken from
        the database, in order, when it is due.
        """
        if not self._shard.owns(changes.sport):
            return False
        sport_id = self._ids.sport(changes.sport)
        if sport_id in self._failing:
            return False
        return self._attempt(sport_id, partial(self._score_after_skipped, sport_id, changes))

    def tick(self, now: Micros) -> bool:
        """Let time pass for every sport; return whether there are alerts."""
        found = [self._attempt(sport_id, partial(self._tick, sport_id, now)) for sport_id in list(self._sports)]
        return any(found)

    def restore_all(self) -> None:
        """Restore every sport that has been scored before."""
        for sport_id in alert_log.load_scorer_progress(self._conn):
            if sport_id not in self._failing and self._owns(sport_id):
                self._attempt(sport_id, partial(self._restore, sport_id))

    def retry(self, now: Micros | None) -> bool:
        """Start over with the sports that failed and are due; return whether there may be alerts.

        `now` is None where only polls move the time.
        """
        due = self._failing.due_sports()
        for sport_id in due:
            self._attempt(sport_id, partial(self._recover, sport_id, now))
        return bool(due)

    def write_fair_prices(self) -> None:
        """Write the fair prices of one sport that was scored since they were last written, for the API to show.

        They show what alerts were valued with; no alert depends on them, so what goes wrong here stops none.
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
        """Do some work for a sport; whatever goes wrong is recorded, and what it was in the midst of is forgotten."""
        try:
            return work()
        except Exception as error:  # whatever it is, the other sports have nothing to do with it
            if isinstance(error, psycopg.Error) and is_connection_lost(error):
                raise  # a new life connects again
            self._sports.pop(sport_id, None)
            self._failing.record(sport_id, self._ids.sport_key(sport_id), error)
            return False

    def _recover(self, sport_id: int, now: Micros | None) -> bool:
        """Do all that was not done since the failure; the first that fails again leaves the sport where it is."""
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
        """The sport with the weights of the moment: as after a restart, where others have come into force."""
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
