"""The scorers of all sports, each restored from the database when it is first met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_assets.clock import to_datetime
from edge_assets.store import alerts, readers
from edge_assets.store.weights import weights_at
from edge_assets.traits import traits
from ml.points import point_models
from ml.scoring import ScoringRules, SportScorer, Traits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from edge_assets.store.vocabulary import Vocabulary
    from edge_assets.store.weights import Publication
    from ml.quotes import Micros, PollChanges


@dataclass(slots=True)
class _Sport:
    scorer: SportScorer
    poll_id: int
    weights: Publication


class Sports:
    """Scores polls and commits what comes of them, together with how far each sport has come.

    Books count as the warehouse has measured them by the time of each poll; `weights` overrides single ones, by their
    keys.
    """

    def __init__(
        self,
        conn: psycopg.Connection,
        vocabulary: Vocabulary,
        rules: ScoringRules,
        weights: Mapping[str, float],
    ) -> None:
        self._conn = conn
        self._vocabulary = vocabulary
        self._rules = rules
        self._weights = weights
        self._progress = alerts.progress(conn)
        self._sports: dict[int, _Sport] = {}

    def missed(self) -> Iterator[PollChanges]:
        """The committed polls that were not scored yet, from the database, in order."""
        for poll_id in readers.unscored_polls(self._conn):
            yield readers.changes(self._conn, poll_id)

    def score(self, changes: PollChanges) -> bool:
        """Score a poll and commit its alerts; return whether there are any. What was scored is skipped."""
        sport_id = self._vocabulary.sport(changes.sport)
        sport = self._sport(sport_id)
        if changes.poll_id <= sport.poll_id:
            return False
        sport = self._reweighted(sport_id, sport, changes.observed_at)
        step = sport.scorer.step(changes)
        alerts.commit_step(self._conn, sport_id, changes.poll_id, changes.observed_at, step.alerts, step.suppressed)
        sport.poll_id = changes.poll_id
        return bool(step.alerts)

    def tick(self, now: Micros) -> bool:
        """Let time pass for every sport; return whether there are alerts."""
        found = False
        for sport_id, sport in self._sports.items():
            step = sport.scorer.tick(now)
            if step.alerts or step.suppressed:
                alerts.commit_step(self._conn, sport_id, sport.poll_id, now, step.alerts, step.suppressed)
                found = found or bool(step.alerts)
        return found

    def restore_all(self) -> None:
        """Restore every sport that has been scored before."""
        for sport_id in self._progress:
            self._sport(sport_id)

    def _sport(self, sport_id: int) -> _Sport:
        sport = self._sports.get(sport_id)
        if sport is None:
            poll_id = self._progress[sport_id].poll_id if sport_id in self._progress else 0
            moment = readers.market_state(self._conn, sport_id, upto_poll=poll_id)[2] if poll_id else 0
            held = weights_at(self._conn, sport_id, to_datetime(moment))
            sport = self._sports[sport_id] = self._restored(sport_id, poll_id, held)
        return sport

    def _reweighted(self, sport_id: int, sport: _Sport, moment: Micros) -> _Sport:
        """The sport with the weights of the moment: as after a restart, where others have come into force."""
        held = weights_at(self._conn, sport_id, to_datetime(moment))
        if held.valid_from != sport.weights.valid_from:
            sport = self._sports[sport_id] = self._restored(sport_id, sport.poll_id, held)
        return sport

    def _restored(self, sport_id: int, poll_id: int, held: Publication) -> _Sport:
        key = self._vocabulary.sport_key(sport_id)
        weights = {**held.weights, **self._weights}

        def traits_of(book: int) -> Traits:
            return traits(self._vocabulary.book_key(book), weights, key)

        scorer = SportScorer(self._rules, traits_of, point_models(key))
        if poll_id:
            quotes, polls = readers.last_quotes(self._conn, sport_id, upto_poll=poll_id)
            times, starts, observed_at = readers.market_state(self._conn, sport_id, upto_poll=poll_id)
            scorer.restore(
                quotes,
                polls,
                times,
                starts,
                (observed_at, poll_id),
                alerts.open_records(self._conn, sport_id),
            )
        return _Sport(scorer, poll_id, held)
