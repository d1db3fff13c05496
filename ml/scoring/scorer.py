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
from ml.scoring.ages import SECOND
from ml.scoring.alerts import Alert, AlertKey, close_alert, legs_moved, open_alert, price_moved, update_alert
from ml.scoring.appraisal import appraise
from ml.scoring.books import Books, Traits
from ml.scoring.lines import OUTCOME_IDS, line_key, selection_point
from ml.scoring.matrix import LineMatrix
from ml.scoring.rules import ONE_BOOK, OPEN, OUTLIER, ScoringRules, Verdict, tells, tells_arbitrage
from ml.scoring.screen import neighboured, promising
from ml.scoring.standing import Standing
from ml.scoring.valuation import value_lines
from ml.scoring.view import view_of
from ml.scoring.worth import arbitrage_worth, price_worths
from ml.settlement import agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.quotes import EventStarts, MarketTimes, Micros, PollChanges, QuoteBatch
    from ml.scoring.alerts import Kind, Worth
    from ml.scoring.lines import LineKey
    from ml.scoring.standing import Turned
    from ml.scoring.valuation import Valuation
    from ml.settlement import Agreement

WIDTHS = (2, 3)
KIND_OF: dict[int, Kind] = {OPEN: "value", OUTLIER: "likely_error"}
"""The alert that a verdict on a price opens."""
KIND_OF_ARBITRAGE: dict[int, Kind] = {OPEN: "arbitrage", ONE_BOOK: "likely_error"}
"""The alert that a verdict on an arbitrage opens."""
CLOCKS_DIFFER_BY = 60 * SECOND
"""A time that is further ahead of the next one was told by a clock that has been set back since."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one poll, or the passing of time, led to; `suppressed` counts candidates newly withheld."""

    alerts: list[Alert] = field(default_factory=list)
    suppressed: Counter[str] = field(default_factory=Counter)


class _Moment(NamedTuple):
    """`is_news`: a poll has come. Else only time has passed, which may close alerts and never opens one."""

    now: Micros
    poll_id: int
    is_news: bool


class SportScorer:
    """Holds the matrix of one sport and its open alerts.

    `traits_of` tells what is known of a book by its id; `models` bring lines at different points together.
    """

    def __init__(
        self,
        rules: ScoringRules,
        traits_of: Callable[[int], Traits] = lambda _: Traits(),
        models: Mapping[Market, PointModel] | None = None,
    ) -> None:
        self.rules = rules
        self.traits_of = traits_of
        self.models = models or {}
        self.matrix = LineMatrix(rules.method)
        self.open: dict[AlertKey, Alert] = {}
        self._books = Books.of((), traits_of)
        self._standing = Standing(self.matrix)
        self._unsettled = np.empty(0, np.intp)
        self._orphaned = False
        self._last_poll = 0
        self._polled_at: Micros = 0
        self._now: Micros = 0

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
        self._polled_at = now
        self.matrix.apply_starts(starts)
        self.matrix.apply_quotes(quotes, polls)
        self.matrix.apply_times(times, now)
        self.open = {alert.key: alert for alert in open_alerts}
        rows = self._due(np.arange(len(self.matrix)), now)
        for some, value in self._valued(rows, now):
            self._standing.settle(some, value.verdict, value.sure.verdict)
        self._mark_open()

    def step(self, changes: PollChanges) -> Step:
        """Take over a poll's changes and value what they touch."""
        self.matrix.apply_starts(changes.starts)
        touched = self.matrix.apply_quotes(changes.quotes, changes.poll_id)
        self.matrix.apply_times(changes.times, changes.observed_at)
        self._last_poll = changes.poll_id
        step = self._score(touched, self._moment(changes.observed_at, self._polled_at, is_news=True))
        self._polled_at = changes.observed_at
        self.matrix.release_empty(touched)
        self.matrix.forget_events(changes.starts.event)
        return step

    def tick(self, now: Micros) -> Step:
        """Let time pass without news: prices grow stale, events start.

        Where the books of a consensus grow old, a price that has stood for a while may come to stand out: nobody has
        found anything. What would open waits for the next poll.
        """
        moment = self._moment(now, self._now, is_news=False)
        self._polled_at = min(self._polled_at, moment.now)
        return self._score(np.empty(0, np.intp), moment)

    def _moment(self, now: Micros, before: Micros, *, is_news: bool) -> _Moment:
        """Time does not run backwards, unless `before` was told by a clock that was wrong.

        For a tick that is the latest time of all. For a poll it is the poll before: it may be late itself, and arrive
        after a tick, by which events that it knows as future have started.
        """
        self._now = now if before - now > CLOCKS_DIFFER_BY else max(self._now, now)
        return _Moment(self._now, self._last_poll, is_news)

    def _score(self, touched: NDArray[np.intp], moment: _Moment) -> Step:
        step = Step(list(self._close_orphans(moment)))
        touched = np.concatenate([touched, self._unsettled])
        self._unsettled = np.empty(0, np.intp)
        for rows, value in self._valued(self._due(touched, moment.now), moment.now):
            prices, arbitrages = self._standing.settle(rows, value.verdict, value.sure.verdict)
            _count_withheld(prices, step.suppressed)
            _count_withheld(arbitrages, step.suppressed)
            step.alerts.extend(self._close_prices(rows, prices, moment))
            step.alerts.extend(self._tell_prices(rows, value, moment))
            step.alerts.extend(self._close_arbitrages(rows, arbitrages, moment))
            step.alerts.extend(self._tell_arbitrages(rows, value, moment))
        step.alerts.sort(key=_order)
        return step

    def _due(self, touched: NDArray[np.intp], now: Micros) -> NDArray[np.intp]:
        """The rows to value: the ladders of the `touched` ones, and those on which time has had an effect."""
        if self._standing.follow():
            self._books = Books.of(self.matrix.book_ids.tolist(), self.traits_of)
        due = self._standing.aged(now, self.rules)
        due[touched] = True
        return self.matrix.beside(due)

    def _valued(self, rows: NDArray[np.intp], now: Micros) -> Iterator[tuple[NDArray[np.intp], Valuation]]:
        """The valuations of those of `rows` that have something to say, or had when they were last valued."""
        near = neighboured(self.matrix, rows, self.models) if self.models else np.zeros(len(rows), np.bool_)
        near |= self._standing.speaks(rows)
        for n in WIDTHS:
            [those] = (self.matrix.width[rows] == n).nonzero()
            some = rows[those]
            price, opinion = (a[:n].take(some, axis=1) for a in (self.matrix.price, self.matrix.opinion))
            some = some[near[those] | promising(price, opinion, self.rules)]
            if some.size:
                yield some, value_lines(view_of(self.matrix, some, n), self._books, self.models, now, self.rules)

    def _close_prices(self, rows: NDArray[np.intp], turned: Turned, moment: _Moment) -> Iterator[Alert]:
        """Close what a price was told as, and is no longer."""
        gone = tells(turned.old)
        outcome, line, book = (where[gone] for where in turned.cells)
        price = self.matrix.price[outcome, rows[line], book]
        columns: tuple[NDArray[Any], ...] = (outcome, rows[line], book, price, turned.old[gone], turned.new[gone])
        for o, row, b, offered, old, new in zip(*(c.tolist() for c in columns), strict=True):
            alert = self.open.pop(self._price_key(KIND_OF[old], row, b, o), None)
            if alert is not None:
                yield close_alert(alert, _closing_reason(alert, offered, new), moment.now, moment.poll_id)

    def _tell_prices(self, rows: NDArray[np.intp], value: Valuation, moment: _Moment) -> Iterator[Alert]:
        """Open what is new and update what has moved; only that is appraised."""
        outcome, line, _ = value.told
        if not line.size:
            return
        columns: tuple[NDArray[Any], ...] = (
            *value.told,
            rows[line],
            value.verdict[value.told],
            value.lines.price[value.told],
            value.market.probability[outcome, line],
        )
        news: list[int] = []
        keys: list[AlertKey] = []
        for j, (o, _, b, row, verdict, price, fair) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
            key = self._price_key(KIND_OF[verdict], row, b, o)
            alert = self.open.get(key)
            if alert is None and self._waits(row, moment):
                continue
            if alert is None or price_moved(alert.worth, price, fair, self.rules):
                news.append(j)
                keys.append(key)
        if news:
            found = appraise(value, np.array(news), self.models, moment.now, self.rules)
            sources = self.matrix.poll[found.outcome, rows[found.line], found.book].tolist()
            worths = price_worths(found)
            for key, worth, source in zip(keys, worths, sources, strict=True):
                yield self._tell(key, worth, moment, source)

    def _close_arbitrages(self, rows: NDArray[np.intp], turned: Turned, moment: _Moment) -> Iterator[Alert]:
        gone, [line] = tells_arbitrage(turned.old), turned.cells
        columns = rows[line[gone]], turned.old[gone], turned.new[gone]
        for row, old, new in zip(*(c.tolist() for c in columns), strict=True):
            alert = self.open.pop(self._arbitrage_key(KIND_OF_ARBITRAGE[old], row), None)
            if alert is not None:
                reason = Verdict(new).reason if new > OPEN else "price_moved"
                yield close_alert(alert, reason, moment.now, moment.poll_id)

    def _tell_arbitrages(self, rows: NDArray[np.intp], value: Valuation, moment: _Moment) -> Iterator[Alert]:
        sure, best = value.sure, value.sure.best
        [standing] = tells_arbitrage(sure.verdict[sure.rows]).nonzero()
        if not standing.size:
            return
        line, book = sure.rows[standing], best.book[standing]
        ages = (moment.now - value.lines.book_time[line[:, None], book]) / SECOND
        sources = self.matrix.poll[np.arange(book.shape[1]), rows[line, None], book]
        columns = (standing, rows[line], sure.verdict[line], self.matrix.book_ids[book], best.price[standing])
        oldest = (ages.max(axis=1), sources.max(axis=1))
        for index, row, verdict, books, prices, age, source in zip(
            *(c.tolist() for c in (*columns, *oldest)), strict=True
        ):
            key = self._arbitrage_key(KIND_OF_ARBITRAGE[verdict], row)
            alert = self.open.get(key)
            if alert is None and self._waits(row, moment):
                continue
            if alert is None or legs_moved(alert.worth, books, prices):
                rules = self._agreement(key.market, books)
                worth = arbitrage_worth(sure, index, OUTCOME_IDS[key.market], books, age, rules)
                yield self._tell(key, worth, moment, source)

    def _waits(self, row: int, moment: _Moment) -> bool:
        """Whether what would open on a row has to wait for a poll; the row is then looked at again."""
        if not moment.is_news:
            self._unsettled = np.append(self._unsettled, row)
        return not moment.is_news

    def _agreement(self, market: int, books: Iterable[int]) -> Agreement:
        """Whether the books of an arbitrage settle it alike."""
        return agreement([self.traits_of(book).rules_of(Market(market)) for book in set(books)])

    def _tell(self, key: AlertKey, worth: Worth, moment: _Moment, source: int) -> Alert:
        """The next step of an alert; `source` is the poll that brought the price."""
        alert = self.open.get(key)
        if alert is None:
            told = open_alert(key, worth, moment.now, moment.poll_id, source)
        else:
            told = update_alert(alert, worth, moment.now, moment.poll_id, source)
        self.open[key] = told
        return told

    def _close_orphans(self, moment: _Moment) -> Iterator[Alert]:
        """Close alerts whose line is no longer offered by anybody, which only a restart can leave behind."""
        if not self._orphaned:
            return
        for key in [k for k in self.open if _line_of(k) not in self.matrix.rows]:
            yield close_alert(self.open.pop(key), "withdrawn", moment.now, moment.poll_id)
        self._orphaned = False

    def _mark_open(self) -> None:
        """After a restart: the open alerts are what is open; rows where the rules differ are valued again."""
        wanted = self._standing.forget_told()
        marked = []
        for key in self.open:
            row = self.matrix.rows.get(_line_of(key))
            if row is not None:
                marked.append(row)
                self._standing.mark(row, key)
        self._orphaned = bool(self.open)
        self._unsettled = np.union1d(wanted, np.array(marked, np.intp))

    def _price_key(self, kind: Kind, row: int, book: int, outcome: int) -> AlertKey:
        line = self._line(row)
        point, name = selection_point(line, outcome), OUTCOME_IDS[line.market][outcome]
        return AlertKey(kind, line.event, line.market, point, name, int(self.matrix.book_ids[book]))

    def _arbitrage_key(self, kind: Kind, row: int) -> AlertKey:
        line = self._line(row)
        return AlertKey(kind, line.event, line.market, selection_point(line, 0))

    def _line(self, row: int) -> LineKey:
        line = self.matrix.keys[row]
        if line is None:
            msg = f"row {row} of the matrix is free, yet it was valued"
            raise AssertionError(msg)
        return line


def _order(alert: Alert) -> tuple[int | float | str, ...]:
    """By what it is about; of one thing the closing comes before the opening under another kind."""
    return tuple([-1 if part is None else part for part in alert.key])


def _count_withheld(turned: Turned, suppressed: Counter[str]) -> None:
    """Count each candidate once, when its reason first applies; an alert that closes has said its reason."""
    newly = turned.new[(turned.new > OPEN) & (turned.old != OPEN)]
    if newly.size:
        for verdict, n in enumerate(np.bincount(newly).tolist()):
            if n:
                suppressed[Verdict(verdict).reason] += n


def _closing_reason(alert: Alert, price: float, verdict: int) -> str:
    if verdict > OPEN:
        return Verdict(verdict).reason
    if isnan(price):
        return "withdrawn"
    return "market_moved" if price == alert.worth.price else "price_moved"


def _line_of(key: AlertKey) -> LineKey:
    return line_key(key.event, key.market, key.outcome, key.point)
