"""The scorer of one sport: prices change, time passes, alerts open, update and close.

It values only lines that changed: a new price, a book that went stale or came back, a start that passed.
`ml.scoring.valuation` is row-wise, so the result equals valuing everything at every poll.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import OUTCOMES_OF, Market
from ml.scoring.alerts import Alert, AlertKey, close_alert, moved, open_alert, update_alert
from ml.scoring.matrix import LineMatrix, line_key, selection_point
from ml.scoring.rules import ScoringRules, Verdict
from ml.scoring.valuation import LineView, Valuation, fresh, value_lines
from ml.scoring.worth import arbitrage_worth, value_worth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from ml.quotes import EventStarts, MarketTimes, Micros, PollChanges, QuoteBatch
    from ml.scoring.alerts import Worth
    from ml.scoring.matrix import LineKey

WIDTHS = (2, 3)


@dataclass(frozen=True, slots=True)
class Step:
    """What one poll, or the passing of time, led to; `suppressed` counts candidates newly withheld."""

    alerts: list[Alert]
    suppressed: Counter[str]


@dataclass(frozen=True, slots=True)
class _Moment:
    now: Micros
    poll_id: int


class SportScorer:
    """Holds the matrix of one sport and its open alerts.

    `weight_of` gives a book's weight in the consensus by its id.
    """

    def __init__(self, rules: ScoringRules, weight_of: Callable[[int], float] = lambda _: 1.0) -> None:
        self.rules = rules
        self.weight_of = weight_of
        self.matrix = LineMatrix()
        self.open: dict[AlertKey, Alert] = {}
        self._verdict = np.zeros_like(self.matrix.price, np.int8)
        self._arbitrage = np.zeros(len(self.matrix.price), np.int8)
        self._fresh = np.zeros(self.matrix.price.shape[:2], np.bool_)
        self._started = np.zeros(len(self.matrix.price), np.bool_)
        self._unsettled: set[int] = set()
        self._orphaned = False
        self._last_poll = 0
        self._now: Micros = 0
        self._columns = np.empty(0, np.intp)

    def restore(
        self,
        quotes: QuoteBatch,
        polls: NDArray[np.int64],
        times: MarketTimes,
        starts: EventStarts,
        moment: tuple[Micros, int],
        open_alerts: Iterable[Alert],
    ) -> None:
        """Take over the state after the poll `moment` = (observed_at, poll id), as the database has it.

        Nothing is announced. Where the given open alerts differ from what the rules say (they were
        changed in between), the next step opens and closes what is due.
        """
        self._now, self._last_poll = now, _ = moment
        self.matrix.apply_starts(starts)
        self.matrix.apply_quotes(quotes, polls)
        self.matrix.apply_times(times)
        self.open = {alert.key: alert for alert in open_alerts}
        rows = self._due(set(range(len(self.matrix))), now)
        for some, value in self._valued(rows, now):
            self._verdict[self._cells(some, value)] = value.verdict
            self._arbitrage[some] = value.arbitrage_verdict
        self._mark_open()

    def step(self, changes: PollChanges) -> Step:
        """Take over a poll's changes and value what they touch."""
        self.matrix.apply_starts(changes.starts)
        touched = self.matrix.apply_quotes(changes.quotes, changes.poll_id)
        self.matrix.apply_times(changes.times)
        self._last_poll = changes.poll_id
        step = self._score(touched, self._moment(changes.observed_at))
        self.matrix.release_empty(touched)
        self.matrix.forget_events(changes.starts.event)
        return step

    def tick(self, now: Micros) -> Step:
        """Let time pass without news: prices grow stale, events start."""
        return self._score(set(), self._moment(now))

    def _moment(self, now: Micros) -> _Moment:
        """Time does not run backwards: a poll may arrive after a tick that was later than it."""
        self._now = max(self._now, now)
        return _Moment(self._now, self._last_poll)

    def _score(self, touched: set[int], moment: _Moment) -> Step:
        step = Step(list(self._close_orphans(moment)), Counter())
        touched |= self._unsettled
        self._unsettled = set()
        for rows, value in self._valued(self._due(touched, moment.now), moment.now):
            step.alerts.extend(self._price_alerts(rows, value, moment, step.suppressed))
            step.alerts.extend(self._arbitrage_alerts(rows, value, moment, step.suppressed))
        step.alerts.sort(key=lambda a: tuple(-1 if part is None else part for part in a.key))
        return step

    def _due(self, touched: set[int], now: Micros) -> NDArray[np.intp]:
        """The rows to value: `touched`, and those on which time has had an effect."""
        self._grow()
        used = slice(0, len(self.matrix))
        young = fresh(self.matrix.book_times(used), now, self.rules)
        started = self.matrix.start[used] <= now
        due = (young != self._fresh[used]).any(axis=1) | (started != self._started[used])
        self._fresh[used], self._started[used] = young, started
        due[list(touched)] = True
        return np.flatnonzero(due)

    def _valued(self, rows: NDArray[np.intp], now: Micros) -> Iterator[tuple[NDArray[np.intp], Valuation]]:
        matrix = self.matrix
        columns = self._columns
        weight = np.array([self.weight_of(matrix.book_ids[c]) for c in columns])
        for n in WIDTHS:
            some = rows[matrix.width[rows] == n]
            if some.size:
                price, times = matrix.price[some[:, None], columns, :n], matrix.book_times(some)[:, columns]
                yield some, value_lines(LineView(price, times, matrix.start[some], weight), now, self.rules)

    def _cells(self, rows: NDArray[np.intp], value: Valuation) -> tuple[Any, ...]:
        """Where in the matrix's own order of books the verdicts of a valuation belong."""
        return rows[:, None], self._columns, slice(0, value.verdict.shape[2])

    def _price_alerts(
        self, rows: NDArray[np.intp], value: Valuation, moment: _Moment, suppressed: Counter[str]
    ) -> Iterator[Alert]:
        cells = self._cells(rows, value)
        old, new = self._verdict[cells], value.verdict
        _count_withheld(old, new, suppressed)
        self._verdict[cells] = new
        for i, book, outcome in np.argwhere((new == Verdict.OPEN) | (old == Verdict.OPEN)):
            row, column = int(rows[i]), int(self._columns[book])
            key = self._price_key(row, column, int(outcome))
            worth = value_worth(value, i, book, outcome, self.matrix.price[row, column, outcome])
            source = int(self.matrix.poll[row, column, outcome])
            yield from self._live(key, worth, Verdict(new[i, book, outcome]), moment, source)

    def _arbitrage_alerts(
        self, rows: NDArray[np.intp], value: Valuation, moment: _Moment, suppressed: Counter[str]
    ) -> Iterator[Alert]:
        old, new = self._arbitrage[rows], value.arbitrage_verdict
        _count_withheld(old, new, suppressed)
        self._arbitrage[rows] = new
        book_ids = [self.matrix.book_ids[c] for c in self._columns]
        for i in np.flatnonzero((new == Verdict.OPEN) | (old == Verdict.OPEN)):
            row = int(rows[i])
            line = self._line(row)
            outcomes = OUTCOMES_OF[Market(line.market)]
            key = AlertKey("arbitrage", line.event, line.market, selection_point(line, 0))
            worth = arbitrage_worth(value, int(i), outcomes, book_ids)
            columns = self._columns[value.arbitrage.book[i]]
            source = int(self.matrix.poll[row, columns, range(len(outcomes))].max())
            yield from self._live(key, worth, Verdict(new[i]), moment, source)

    def _live(self, key: AlertKey, worth: Worth, verdict: Verdict, moment: _Moment, source: int) -> Iterator[Alert]:
        alert = self.open.get(key)
        if verdict == Verdict.OPEN and alert is None:
            self.open[key] = open_alert(key, worth, moment.now, moment.poll_id, source)
            yield self.open[key]
        elif verdict == Verdict.OPEN and alert is not None and moved(alert.worth, worth, self.rules):
            self.open[key] = update_alert(alert, worth, moment.now, moment.poll_id, source)
            yield self.open[key]
        elif verdict != Verdict.OPEN and alert is not None:
            del self.open[key]
            yield close_alert(alert, _closing_reason(alert, worth, verdict), moment.now, moment.poll_id)

    def _close_orphans(self, moment: _Moment) -> Iterator[Alert]:
        """Close alerts whose line is no longer offered by anybody, which only a restart can leave behind."""
        if not self._orphaned:
            return
        for key in [k for k in self.open if _line_of(k) not in self.matrix.rows]:
            yield close_alert(self.open.pop(key), "withdrawn", moment.now, moment.poll_id)
        self._orphaned = False

    def _mark_open(self) -> None:
        """After a restart: the open alerts are what is open; rows where the rules differ are valued again."""
        wanted = (self._verdict == Verdict.OPEN).any(axis=(1, 2)) | (self._arbitrage == Verdict.OPEN)
        self._verdict[self._verdict == Verdict.OPEN] = Verdict.NOTHING
        self._arbitrage[self._arbitrage == Verdict.OPEN] = Verdict.NOTHING
        self._unsettled = set(np.flatnonzero(wanted).tolist())
        self._orphaned = bool(self.open)
        for key in self.open:
            row = self.matrix.rows.get(_line_of(key))
            if row is None:
                continue
            self._unsettled.add(row)
            if key.kind == "arbitrage":
                self._arbitrage[row] = Verdict.OPEN
            elif key.book in self.matrix.books:
                outcome = [int(o) for o in OUTCOMES_OF[Market(key.market)]].index(key.outcome or 0)
                self._verdict[row, self.matrix.books[key.book], outcome] = Verdict.OPEN

    def _price_key(self, row: int, book: int, outcome: int) -> AlertKey:
        line = self._line(row)
        return AlertKey(
            "value",
            line.event,
            line.market,
            selection_point(line, outcome),
            int(OUTCOMES_OF[Market(line.market)][outcome]),
            self.matrix.book_ids[book],
        )

    def _line(self, row: int) -> LineKey:
        line = self.matrix.keys[row]
        if line is None:
            msg = f"row {row} of the matrix is free, yet it was valued"
            raise AssertionError(msg)
        return line

    def _grow(self) -> None:
        """Follow the matrix when it has grown. Books are valued in the order of their ids, so that a tie between
        two of them is decided alike before and after a restart.
        """
        self._columns = np.argsort(np.array(self.matrix.book_ids, np.intp))
        rows, books, _ = self.matrix.price.shape
        if self._verdict.shape[:2] != (rows, books):
            self._verdict = _enlarged(self._verdict, self.matrix.price.shape)
            self._fresh = _enlarged(self._fresh, (rows, books))
            self._arbitrage = _enlarged(self._arbitrage, (rows,))
            self._started = _enlarged(self._started, (rows,))


def _count_withheld(old: NDArray[np.int8], new: NDArray[np.int8], suppressed: Counter[str]) -> None:
    """Count each candidate once, when its reason first applies; an alert that closes has said its reason."""
    newly = new[(new > Verdict.OPEN) & (new != old) & (old != Verdict.OPEN)]
    for verdict, n in zip(*np.unique(newly, return_counts=True), strict=True):
        suppressed[Verdict(verdict).reason] += int(n)


def _closing_reason(alert: Alert, worth: Worth, verdict: Verdict) -> str:
    if verdict > Verdict.OPEN:
        return verdict.reason
    if alert.key.kind == "arbitrage":
        return "price_moved"
    if worth.price != worth.price:
        return "withdrawn"
    return "market_moved" if worth.price == alert.worth.price else "price_moved"


def _line_of(key: AlertKey) -> LineKey:
    return line_key(key.event, key.market, key.outcome, key.point)


def _enlarged(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    larger = np.zeros(shape, array.dtype)
    larger[tuple(slice(0, n) for n in array.shape)] = array
    return larger
