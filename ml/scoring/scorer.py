"""The scorer of one sport: prices change, time passes, alerts open, update and close.

It values only ladders that changed: by a new price, a book in the next staleness bucket, or a start that has passed.
`ml.scoring.valuation` works ladder by ladder, so the result equals valuing everything at every poll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ml.quotes import MAX_CLOCK_SKEW_MICROS
from ml.scoring.alert_book import AlertBook, Moment
from ml.scoring.alerts import Alert, AlertKey, sort_key
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.fair_prices import ConsensusProvider, FairPriceBatch, OutlyingBookBatch, StatedFairPrices
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.prefilter import can_alert, has_other_points
from ml.scoring.rules import OPEN, ScoringRules, Verdict
from ml.scoring.strategy import EdgeThreshold
from ml.scoring.valuation import value_lines
from ml.scoring.verdict_alerts import VerdictAlerts, line_of_alert
from ml.scoring.verdicts import VerdictState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.quotes import EventStarts, Market, MarketConfirmations, Micros, PollChanges, QuoteBatch
    from ml.scoring.fair_prices import FairPriceProvider
    from ml.scoring.strategy import Strategy
    from ml.scoring.valuation import Valuation
    from ml.scoring.verdicts import VerdictChanges

OUTCOME_COUNTS = (2, 3)
MAX_OPENED_PER_POLL = 500
"""The busiest recorded poll, of all regions of The Odds API, opens 11, and 121 with a threshold of zero. Thousands of
new alerts at once are a fault of the feed, and would delay the true ones of all sports by minutes; those beyond wait
for the next poll."""
TOO_MANY = "too_many"
"""The reason that is counted for each alert that waits, at every poll."""


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """The alert steps of one poll or tick; `suppressed` counts newly suppressed candidates by reason."""

    alerts: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class SportScorer:
    """Updates the matrix of one sport and its alert book.

    `profile_of` returns the profile of a book id; `point_models` translate prices between points of a market. The
    default `provider` of fair prices is the books' consensus, the default `strategy` an edge above the rules'
    threshold.
    """

    def __init__(
        self,
        rules: ScoringRules,
        profile_of: Callable[[int], BookProfile] = lambda _: BookProfile(),
        point_models: Mapping[Market, PointModel] | None = None,
        provider: FairPriceProvider | None = None,
        strategy: Strategy | None = None,
    ) -> None:
        self.rules = rules
        self.profile_of = profile_of
        self.point_models = point_models or {}
        self.provider = provider or ConsensusProvider(self.point_models)
        self.strategy = strategy or EdgeThreshold(rules.threshold_edge)
        self.matrix = LineMatrix(rules.method)
        self._book = AlertBook()
        self._alerts = VerdictAlerts(self.matrix, rules, self.strategy, self.point_models, profile_of)
        self._profiles = BookProfiles.from_profiles((), profile_of)
        self._verdicts = VerdictState(self.matrix)
        self._pending_rows = np.empty(0, np.intp)
        self._last_poll = 0
        self._polled_at: Micros = 0
        self._now: Micros = 0

    @property
    def now(self) -> Micros:
        """The feed's time at the last step."""
        return self._now

    @property
    def open_alerts(self) -> Mapping[AlertKey, Alert]:
        """The open alerts."""
        return self._book.open_alerts

    def restore(
        self,
        quotes: QuoteBatch,
        polls: NDArray[np.int64],
        confirmations: MarketConfirmations,
        starts: EventStarts,
        last_poll: Moment,
        open_alerts: Iterable[Alert],
    ) -> None:
        """Load the state after the last poll from what the database has stored.

        No alerts are returned. If the given open alerts differ from what the rules now give, because the rules have
        changed, the next step opens and closes what is due.
        """
        self._now, self._last_poll = now, _ = last_poll
        self._polled_at = now
        self.matrix.apply_starts(starts)
        self.matrix.apply_quotes(quotes, polls)
        self.matrix.apply_confirmations(confirmations, now)
        self._book = AlertBook(open_alerts)
        rows = self._rows_due(np.arange(len(self.matrix)), now)
        for some, valuation in self._value_rows(rows, now):
            self._verdicts.update(some, valuation.verdict, valuation.arbitrages.verdict)
        self._restore_verdicts()

    def apply_poll(self, changes: PollChanges) -> ScoringResult:
        """Apply a poll's changes and value the ladders that they touch."""
        self.matrix.apply_starts(changes.starts)
        touched = self.matrix.apply_quotes(changes.quotes, changes.poll_id)
        self.matrix.apply_confirmations(changes.confirmations, changes.observed_at)
        self._last_poll = changes.poll_id
        moment = self._advance_clock(changes.observed_at, self._polled_at)
        result = self._score(touched, moment, max_opened=MAX_OPENED_PER_POLL)
        self._polled_at = changes.observed_at
        self.matrix.release_empty(touched)
        self.matrix.forget_events(changes.starts.event)
        return result

    def advance_time(self, now: Micros) -> ScoringResult:
        """Advance the time without a poll: prices become stale, events start.

        As the other books lose weight with age, an unchanged price may come to exceed the threshold. Nothing new is
        known then, so alerts that would open wait for the next poll.
        """
        moment = self._advance_clock(now, self._now)
        self._polled_at = min(self._polled_at, moment.observed_at)
        return self._score(np.empty(0, np.intp), moment, max_opened=0)

    def fair_prices(self) -> StatedFairPrices:
        """The fair prices of all lines on offer as of the last step, the same that its alerts were valued with."""
        prices, outlying = [], []
        for n in OUTCOME_COUNTS:
            [rows] = (self.matrix.outcome_count[: len(self.matrix)] == n).nonzero()
            if rows.size:
                fair = self.provider.price_lines(
                    view_lines(self.matrix, rows, n), self._profiles, self._now, self.rules
                )
                lines = [line for row in rows.tolist() if (line := self.matrix.line_by_row[row]) is not None]
                prices.append(FairPriceBatch.from_prices(lines, fair))
                outlying.append(OutlyingBookBatch.from_prices(lines, self.matrix.book_ids, fair))
        return StatedFairPrices(FairPriceBatch.concatenate(prices), OutlyingBookBatch.concatenate(outlying))

    def _advance_clock(self, now: Micros, before: Micros) -> Moment:
        """Time never runs backwards, unless `before` came from a wrong clock.

        For a tick, `before` is the latest time so far. For a poll it is the time of the previous poll, since a poll may
        arrive late, after a tick by which events that it lists as upcoming have started.
        """
        self._now = now if before - now > MAX_CLOCK_SKEW_MICROS else max(self._now, now)
        return Moment(self._now, self._last_poll)

    def _score(self, touched: NDArray[np.intp], moment: Moment, *, max_opened: int) -> ScoringResult:
        """Value what is due, and open at most `max_opened` alerts; rows with alerts that wait are valued again at the
        next step.
        """
        result = ScoringResult(list(self._book.close_orphans(self._is_offered, moment)))
        touched = np.concatenate([touched, self._pending_rows])
        opened = 0
        for rows, valuation in self._value_rows(self._rows_due(touched, moment.observed_at), moment.observed_at):
            changes = self._verdicts.update(rows, valuation.verdict, valuation.arbitrages.verdict)
            for changed in changes:
                _count_suppressed(changed, result.suppressed)
            steps = [*self._alerts.step(self._book, rows, valuation, changes, moment, max_opened=max_opened - opened)]
            opened += sum(step.seq == 0 for step in steps)
            result.alerts.extend(steps)
        self._pending_rows = self._alerts.take_waiting()
        if max_opened and self._pending_rows.size:
            result.suppressed[TOO_MANY] += self._pending_rows.size
        result.alerts.sort(key=lambda alert: sort_key(alert.key))
        return result

    def _rows_due(self, touched: NDArray[np.intp], now: Micros) -> NDArray[np.intp]:
        """The rows to value: the ladders of the `touched` rows and of those that time has affected."""
        if self._verdicts.resize():
            self._profiles = BookProfiles.from_profiles(self.matrix.book_ids.tolist(), self.profile_of)
        due = self._verdicts.update_ages(now, self.rules)
        due[touched] = True
        return self.matrix.rows_of_same_markets(due)

    def _value_rows(self, rows: NDArray[np.intp], now: Micros) -> Iterator[tuple[NDArray[np.intp], Valuation]]:
        """Value those of `rows` that may have an alert, or had a verdict when last valued."""
        selected = self._verdicts.has_verdict(rows)
        if not self.provider.stays_within_books:
            selected[:] = True
        elif self.point_models:
            selected |= has_other_points(self.matrix, rows, self.point_models)
        for n in OUTCOME_COUNTS:
            [those] = (self.matrix.outcome_count[rows] == n).nonzero()
            some = rows[those]
            price, opinion = (a[:n].take(some, axis=1) for a in (self.matrix.price, self.matrix.fair_log_odds))
            some = some[selected[those] | can_alert(price, opinion, self.strategy.min_edge)]
            if some.size:
                lines = view_lines(self.matrix, some, n)
                yield some, value_lines(lines, self._profiles, self.provider, now, self.rules, self.strategy)

    def _restore_verdicts(self) -> None:
        """Set the verdicts to match the open alerts after a restart; rows where they differed are valued again."""
        differing = self._verdicts.reset_alerted()
        marked = []
        for key in self.open_alerts:
            row = self.matrix.row_by_line.get(line_of_alert(key))
            if row is not None:
                marked.append(row)
                self._verdicts.mark_alerted(row, key)
        self._pending_rows = np.union1d(differing, np.array(marked, np.intp))

    def _is_offered(self, key: AlertKey) -> bool:
        return line_of_alert(key) in self.matrix.row_by_line


def _count_suppressed(changes: VerdictChanges, suppressed: Counter[str]) -> None:
    """Count each candidate once, when its reason first applies; a closing alert states its reason itself."""
    newly = changes.new[(changes.new > OPEN) & (changes.old != OPEN)]
    if newly.size:
        for verdict, n in enumerate(np.bincount(newly).tolist()):
            if n:
                suppressed[Verdict(verdict).reason] += n
