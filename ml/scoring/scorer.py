"""The scorer of one sport: prices change, time passes, alerts open, update and close.

It values only ladders that changed: a new price, a book that grew older by a step, a start that passed.
`ml.scoring.valuation` is ladder-wise, so the result equals valuing everything at every poll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ml.scoring.alert_book import AlertBook, Moment
from ml.scoring.alerts import Alert, AlertKey
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.confirmations import MICROS_PER_SECOND
from ml.scoring.fair_prices import ConsensusProvider, FairPriceBatch
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
MAX_CLOCK_SKEW_MICROS = 60 * MICROS_PER_SECOND
"""A time further ahead of the next one than this came from a clock that has been set back since."""


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """What one poll, or the passing of time, led to; `suppressed` counts candidates newly withheld."""

    alerts: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class SportScorer:
    """Drives the matrix of one sport and its alert book.

    `profile_of` gives a book's profile by its id; `point_models` bring lines at different points together. The
    `provider` of fair prices is by default the books' consensus, the `strategy` an edge above the rules' threshold.
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
        """Take over the state after the last poll, as the database has it.

        Nothing is announced. Where the given open alerts differ from what the rules say (they were
        changed in between), the next step opens and closes what is due.
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
        """Take over a poll's changes and value what they touch."""
        self.matrix.apply_starts(changes.starts)
        touched = self.matrix.apply_quotes(changes.quotes, changes.poll_id)
        self.matrix.apply_confirmations(changes.confirmations, changes.observed_at)
        self._last_poll = changes.poll_id
        moment = self._advance_clock(changes.observed_at, self._polled_at)
        result = self._score(touched, moment, may_open=True)
        self._polled_at = changes.observed_at
        self.matrix.release_empty(touched)
        self.matrix.forget_events(changes.starts.event)
        return result

    def advance_time(self, now: Micros) -> ScoringResult:
        """Let time pass without news: prices grow stale, events start.

        Where the books of a consensus grow old, a price that has stood for a while may come to stand out: nobody has
        found anything. What would open waits for the next poll.
        """
        moment = self._advance_clock(now, self._now)
        self._polled_at = min(self._polled_at, moment.observed_at)
        return self._score(np.empty(0, np.intp), moment, may_open=False)

    def fair_prices(self) -> FairPriceBatch:
        """The fair prices of all lines on offer, as of the last step: those that its alerts were valued with."""
        batches = []
        for n in OUTCOME_COUNTS:
            [rows] = (self.matrix.outcome_count[: len(self.matrix)] == n).nonzero()
            if rows.size:
                fair = self.provider.price_lines(
                    view_lines(self.matrix, rows, n), self._profiles, self._now, self.rules
                )
                lines = [line for row in rows.tolist() if (line := self.matrix.line_by_row[row]) is not None]
                batches.append(FairPriceBatch.from_prices(lines, fair))
        return FairPriceBatch.concatenate(batches)

    def _advance_clock(self, now: Micros, before: Micros) -> Moment:
        """Time does not run backwards, unless `before` came from a clock that was wrong.

        For a tick that is the latest time of all. For a poll it is the poll before: it may be late itself, and arrive
        after a tick, by which events that it knows as future have started.
        """
        self._now = now if before - now > MAX_CLOCK_SKEW_MICROS else max(self._now, now)
        return Moment(self._now, self._last_poll)

    def _score(self, touched: NDArray[np.intp], moment: Moment, *, may_open: bool) -> ScoringResult:
        """Value what is due. Only a poll `may_open` alerts; what would open without one is valued again at the next."""
        result = ScoringResult(list(self._book.close_orphans(self._is_offered, moment)))
        touched = np.concatenate([touched, self._pending_rows])
        for rows, valuation in self._value_rows(self._rows_due(touched, moment.observed_at), moment.observed_at):
            changes = self._verdicts.update(rows, valuation.verdict, valuation.arbitrages.verdict)
            for changed in changes:
                _count_suppressed(changed, result.suppressed)
            result.alerts.extend(self._alerts.step(self._book, rows, valuation, changes, moment, may_open=may_open))
        self._pending_rows = self._alerts.take_waiting()
        result.alerts.sort(key=_alert_sort_key)
        return result

    def _rows_due(self, touched: NDArray[np.intp], now: Micros) -> NDArray[np.intp]:
        """The rows to value: the ladders of the `touched` ones, and those on which time has had an effect."""
        if self._verdicts.resize():
            self._profiles = BookProfiles.from_profiles(self.matrix.book_ids.tolist(), self.profile_of)
        due = self._verdicts.update_ages(now, self.rules)
        due[touched] = True
        return self.matrix.rows_of_same_markets(due)

    def _value_rows(self, rows: NDArray[np.intp], now: Micros) -> Iterator[tuple[NDArray[np.intp], Valuation]]:
        """The valuations of those of `rows` that may have an alert, or had a verdict when they were last valued."""
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
        """After a restart: the open alerts are what is open; rows where the rules differ are valued again."""
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


def _alert_sort_key(alert: Alert) -> tuple[int | float | str, ...]:
    """By what it is about; of one thing the closing comes before the opening under another kind."""
    return tuple([-1 if part is None else part for part in alert.key])


def _count_suppressed(changes: VerdictChanges, suppressed: Counter[str]) -> None:
    """Count each candidate once, when its reason first applies; an alert that closes has stated its reason."""
    newly = changes.new[(changes.new > OPEN) & (changes.old != OPEN)]
    if newly.size:
        for verdict, n in enumerate(np.bincount(newly).tolist()):
            if n:
                suppressed[Verdict(verdict).reason] += n
