"""The scorer of one sport: prices change, time passes, alerts open, update and close.

It values only ladders that changed: a new price, a book that grew older by a step, a start that passed.
`ml.scoring.valuation` is ladder-wise, so the result equals valuing everything at every poll.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ml.quotes import Market
from ml.scoring.alert_metrics import arbitrage_metrics, compute_metrics, price_metrics
from ml.scoring.alerts import Alert, AlertKey, close_alert, has_legs_changed, has_price_moved, open_alert, update_alert
from ml.scoring.books import BookProfile, BookProfiles
from ml.scoring.confirmations import MICROS_PER_SECOND
from ml.scoring.lines import OUTCOME_IDS, line_key, selection_point
from ml.scoring.matrix import LineMatrix, view_lines
from ml.scoring.prefilter import can_alert, has_other_points
from ml.scoring.rules import ONE_BOOK, OPEN, OUTLIER, ScoringRules, Verdict, is_alertable, is_alertable_arbitrage
from ml.scoring.valuation import value_lines
from ml.scoring.verdicts import VerdictState
from ml.settlement import agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.quotes import EventStarts, MarketConfirmations, Micros, PollChanges, QuoteBatch
    from ml.scoring.alerts import AlertKind, AlertMetrics
    from ml.scoring.lines import LineKey
    from ml.scoring.valuation import Valuation
    from ml.scoring.verdicts import VerdictChanges
    from ml.settlement import RulesAgreement

OUTCOME_COUNTS = (2, 3)
KIND_BY_VERDICT: dict[int, AlertKind] = {OPEN: "value", OUTLIER: "likely_error"}
"""The alert that a verdict on a price opens."""
KIND_BY_ARBITRAGE_VERDICT: dict[int, AlertKind] = {OPEN: "arbitrage", ONE_BOOK: "likely_error"}
"""The alert that a verdict on an arbitrage opens."""
MAX_CLOCK_SKEW_MICROS = 60 * MICROS_PER_SECOND
"""A time that is further ahead of the next one was told by a clock that has been set back since."""


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """What one poll, or the passing of time, led to; `suppressed` counts candidates newly withheld."""

    alerts: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class _PassContext(NamedTuple):
    """`is_poll`: a poll has come. Else only time has passed, which may close alerts and never opens one."""

    now: Micros
    poll_id: int
    is_poll: bool


class SportScorer:
    """Holds the matrix of one sport and its open alerts.

    `profile_of` tells what is known of a book by its id; `point_models` bring lines at different points together.
    """

    def __init__(
        self,
        rules: ScoringRules,
        profile_of: Callable[[int], BookProfile] = lambda _: BookProfile(),
        point_models: Mapping[Market, PointModel] | None = None,
    ) -> None:
        self.rules = rules
        self.profile_of = profile_of
        self.point_models = point_models or {}
        self.matrix = LineMatrix(rules.method)
        self.open_alerts: dict[AlertKey, Alert] = {}
        self._profiles = BookProfiles.from_profiles((), profile_of)
        self._verdicts = VerdictState(self.matrix)
        self._pending_rows = np.empty(0, np.intp)
        self._has_orphans = False
        self._last_poll = 0
        self._polled_at: Micros = 0
        self._now: Micros = 0

    def restore(
        self,
        quotes: QuoteBatch,
        polls: NDArray[np.int64],
        confirmations: MarketConfirmations,
        starts: EventStarts,
        last_poll: tuple[Micros, int],
        open_alerts: Iterable[Alert],
    ) -> None:
        """Take over the state after the poll `moment` = (observed_at, poll id), as the database has it.

        Nothing is announced. Where the given open alerts differ from what the rules say (they were
        changed in between), the next step opens and closes what is due.
        """
        self._now, self._last_poll = now, _ = last_poll
        self._polled_at = now
        self.matrix.apply_starts(starts)
        self.matrix.apply_quotes(quotes, polls)
        self.matrix.apply_confirmations(confirmations, now)
        self.open_alerts = {alert.key: alert for alert in open_alerts}
        rows = self._rows_due(np.arange(len(self.matrix)), now)
        for some, valuation in self._value_rows(rows, now):
            self._verdicts.update(some, valuation.verdict, valuation.arbitrages.verdict)
        self._restore_open_alerts()

    def apply_poll(self, changes: PollChanges) -> ScoringResult:
        """Take over a poll's changes and value what they touch."""
        self.matrix.apply_starts(changes.starts)
        touched = self.matrix.apply_quotes(changes.quotes, changes.poll_id)
        self.matrix.apply_confirmations(changes.confirmations, changes.observed_at)
        self._last_poll = changes.poll_id
        result = self._score(touched, self._advance_clock(changes.observed_at, self._polled_at, is_poll=True))
        self._polled_at = changes.observed_at
        self.matrix.release_empty(touched)
        self.matrix.forget_events(changes.starts.event)
        return result

    def advance_time(self, now: Micros) -> ScoringResult:
        """Let time pass without news: prices grow stale, events start.

        Where the books of a consensus grow old, a price that has stood for a while may come to stand out: nobody has
        found anything. What would open waits for the next poll.
        """
        context = self._advance_clock(now, self._now, is_poll=False)
        self._polled_at = min(self._polled_at, context.now)
        return self._score(np.empty(0, np.intp), context)

    def _advance_clock(self, now: Micros, before: Micros, *, is_poll: bool) -> _PassContext:
        """Time does not run backwards, unless `before` was told by a clock that was wrong.

        For a tick that is the latest time of all. For a poll it is the poll before: it may be late itself, and arrive
        after a tick, by which events that it knows as future have started.
        """
        self._now = now if before - now > MAX_CLOCK_SKEW_MICROS else max(self._now, now)
        return _PassContext(self._now, self._last_poll, is_poll)

    def _score(self, touched: NDArray[np.intp], context: _PassContext) -> ScoringResult:
        result = ScoringResult(list(self._close_orphans(context)))
        touched = np.concatenate([touched, self._pending_rows])
        self._pending_rows = np.empty(0, np.intp)
        for rows, valuation in self._value_rows(self._rows_due(touched, context.now), context.now):
            prices, arbitrages = self._verdicts.update(rows, valuation.verdict, valuation.arbitrages.verdict)
            _count_suppressed(prices, result.suppressed)
            _count_suppressed(arbitrages, result.suppressed)
            result.alerts.extend(self._close_price_alerts(rows, prices, context))
            result.alerts.extend(self._raise_price_alerts(rows, valuation, context))
            result.alerts.extend(self._close_arbitrage_alerts(rows, arbitrages, context))
            result.alerts.extend(self._raise_arbitrage_alerts(rows, valuation, context))
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
        """The valuations of those of `rows` that have something to say, or had when they were last valued."""
        near = (
            has_other_points(self.matrix, rows, self.point_models)
            if self.point_models
            else np.zeros(len(rows), np.bool_)
        )
        near |= self._verdicts.has_verdict(rows)
        for n in OUTCOME_COUNTS:
            [those] = (self.matrix.outcome_count[rows] == n).nonzero()
            some = rows[those]
            price, opinion = (a[:n].take(some, axis=1) for a in (self.matrix.price, self.matrix.fair_log_odds))
            some = some[near[those] | can_alert(price, opinion, self.rules)]
            if some.size:
                yield (
                    some,
                    value_lines(view_lines(self.matrix, some, n), self._profiles, self.point_models, now, self.rules),
                )

    def _close_price_alerts(
        self, rows: NDArray[np.intp], changes: VerdictChanges, context: _PassContext
    ) -> Iterator[Alert]:
        """Close what a price was told as, and is no longer."""
        gone = is_alertable(changes.old)
        outcome, line, book = (where[gone] for where in changes.cells)
        price = self.matrix.price[outcome, rows[line], book]
        columns: tuple[NDArray[Any], ...] = (outcome, rows[line], book, price, changes.old[gone], changes.new[gone])
        for o, row, b, offered, old, new in zip(*(c.tolist() for c in columns), strict=True):
            alert = self.open_alerts.pop(self._price_key(KIND_BY_VERDICT[old], row, b, o), None)
            if alert is not None:
                yield close_alert(alert, _closing_reason(alert, offered, new), context.now, context.poll_id)

    def _raise_price_alerts(
        self, rows: NDArray[np.intp], valuation: Valuation, context: _PassContext
    ) -> Iterator[Alert]:
        """Open what is new and update what has moved; only that is appraised."""
        outcome, line, _ = valuation.alertable
        if not line.size:
            return
        columns: tuple[NDArray[Any], ...] = (
            *valuation.alertable,
            rows[line],
            valuation.verdict[valuation.alertable],
            valuation.lines.price[valuation.alertable],
            valuation.consensus.probability[outcome, line],
        )
        chosen: list[int] = []
        keys: list[AlertKey] = []
        for j, (o, _, b, row, verdict, price, fair) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            key = self._price_key(KIND_BY_VERDICT[verdict], row, b, o)
            alert = self.open_alerts.get(key)
            if alert is None and self._is_deferred(row, context):
                continue
            if alert is None or has_price_moved(alert.metrics, price, fair, self.rules):
                chosen.append(j)
                keys.append(key)
        if chosen:
            batch = compute_metrics(valuation, np.array(chosen), self.point_models, context.now, self.rules)
            poll_ids = self.matrix.poll_id[batch.outcome, rows[batch.line], batch.book].tolist()
            all_metrics = price_metrics(batch)
            for key, metrics, poll_id in zip(keys, all_metrics, poll_ids, strict=True):
                yield self._raise_alert(key, metrics, context, poll_id)

    def _close_arbitrage_alerts(
        self, rows: NDArray[np.intp], changes: VerdictChanges, context: _PassContext
    ) -> Iterator[Alert]:
        gone, [line] = is_alertable_arbitrage(changes.old), changes.cells
        columns = rows[line[gone]], changes.old[gone], changes.new[gone]
        for row, old, new in zip(*(c.tolist() for c in columns), strict=True):
            alert = self.open_alerts.pop(self._arbitrage_key(KIND_BY_ARBITRAGE_VERDICT[old], row), None)
            if alert is not None:
                reason = Verdict(new).reason if new > OPEN else "price_moved"
                yield close_alert(alert, reason, context.now, context.poll_id)

    def _raise_arbitrage_alerts(
        self, rows: NDArray[np.intp], valuation: Valuation, context: _PassContext
    ) -> Iterator[Alert]:
        arbitrages, best = valuation.arbitrages, valuation.arbitrages.best
        [alertable] = is_alertable_arbitrage(arbitrages.verdict[arbitrages.rows]).nonzero()
        if not alertable.size:
            return
        line, book = arbitrages.rows[alertable], best.book[alertable]
        ages = (context.now - valuation.lines.confirmed_at[line[:, None], book]) / MICROS_PER_SECOND
        poll_ids = self.matrix.poll_id[np.arange(book.shape[1]), rows[line, None], book]
        columns = (alertable, rows[line], arbitrages.verdict[line], self.matrix.book_ids[book], best.price[alertable])
        oldest = (ages.max(axis=1), poll_ids.max(axis=1))
        for index, row, verdict, books, prices, age, poll_id in zip(
            *(c.tolist() for c in (*columns, *oldest)), strict=True
        ):
            key = self._arbitrage_key(KIND_BY_ARBITRAGE_VERDICT[verdict], row)
            alert = self.open_alerts.get(key)
            if alert is None and self._is_deferred(row, context):
                continue
            if alert is None or has_legs_changed(alert.metrics, books, prices):
                rules = self._agreement(key.market, books)
                metrics = arbitrage_metrics(arbitrages, index, OUTCOME_IDS[key.market], books, age, rules)
                yield self._raise_alert(key, metrics, context, poll_id)

    def _is_deferred(self, row: int, context: _PassContext) -> bool:
        """Whether what would open on a row has to wait for a poll; the row is then looked at again."""
        if not context.is_poll:
            self._pending_rows = np.append(self._pending_rows, row)
        return not context.is_poll

    def _agreement(self, market: int, books: Iterable[int]) -> RulesAgreement:
        """Whether the books of an arbitrage settle it alike."""
        return agreement([self.profile_of(book).rules_for(Market(market)) for book in set(books)])

    def _raise_alert(self, key: AlertKey, metrics: AlertMetrics, context: _PassContext, tick_poll_id: int) -> Alert:
        """The next step of an alert; `source` is the poll that brought the price."""
        alert = self.open_alerts.get(key)
        if alert is None:
            step = open_alert(key, metrics, context.now, context.poll_id, tick_poll_id)
        else:
            step = update_alert(alert, metrics, context.now, context.poll_id, tick_poll_id)
        self.open_alerts[key] = step
        return step

    def _close_orphans(self, context: _PassContext) -> Iterator[Alert]:
        """Close alerts whose line is no longer offered by anybody, which only a restart can leave behind."""
        if not self._has_orphans:
            return
        for key in [k for k in self.open_alerts if _line_of_alert(k) not in self.matrix.row_by_line]:
            yield close_alert(self.open_alerts.pop(key), "withdrawn", context.now, context.poll_id)
        self._has_orphans = False

    def _restore_open_alerts(self) -> None:
        """After a restart: the open alerts are what is open; rows where the rules differ are valued again."""
        wanted = self._verdicts.reset_alerted()
        marked = []
        for key in self.open_alerts:
            row = self.matrix.row_by_line.get(_line_of_alert(key))
            if row is not None:
                marked.append(row)
                self._verdicts.mark_alerted(row, key)
        self._has_orphans = bool(self.open_alerts)
        self._pending_rows = np.union1d(wanted, np.array(marked, np.intp))

    def _price_key(self, kind: AlertKind, row: int, book: int, outcome: int) -> AlertKey:
        line = self._line_at(row)
        point, name = selection_point(line, outcome), OUTCOME_IDS[line.market][outcome]
        return AlertKey(kind, line.event, line.market, point, name, int(self.matrix.book_ids[book]))

    def _arbitrage_key(self, kind: AlertKind, row: int) -> AlertKey:
        line = self._line_at(row)
        return AlertKey(kind, line.event, line.market, selection_point(line, 0))

    def _line_at(self, row: int) -> LineKey:
        line = self.matrix.line_by_row[row]
        if line is None:
            msg = f"row {row} of the matrix is free, yet it was valued"
            raise AssertionError(msg)
        return line


def _alert_sort_key(alert: Alert) -> tuple[int | float | str, ...]:
    """By what it is about; of one thing the closing comes before the opening under another kind."""
    return tuple([-1 if part is None else part for part in alert.key])


def _count_suppressed(changes: VerdictChanges, suppressed: Counter[str]) -> None:
    """Count each candidate once, when its reason first applies; an alert that closes has said its reason."""
    newly = changes.new[(changes.new > OPEN) & (changes.old != OPEN)]
    if newly.size:
        for verdict, n in enumerate(np.bincount(newly).tolist()):
            if n:
                suppressed[Verdict(verdict).reason] += n


def _closing_reason(alert: Alert, price: float, verdict: int) -> str:
    if verdict > OPEN:
        return Verdict(verdict).reason
    if isnan(price):
        return "withdrawn"
    return "market_moved" if price == alert.metrics.price else "price_moved"


def _line_of_alert(key: AlertKey) -> LineKey:
    return line_key(key.event, key.market, key.outcome, key.point)
