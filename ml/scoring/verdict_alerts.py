"""From the verdicts of a valuation to alert steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import MICROS_PER_SECOND, Market
from ml.scoring.alert_metrics import arbitrage_metrics, compute_metrics, price_metrics
from ml.scoring.alerts import Alert, AlertKey, AlertKind, AlertMetrics, has_legs_changed, has_price_moved
from ml.scoring.lines import OUTCOME_IDS, line_key, selection_point
from ml.scoring.rules import ONE_BOOK, OPEN, OUTLIER, Verdict, is_alertable, is_alertable_arbitrage
from ml.settlement import RulesAgreement, agreement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.scoring.alert_book import AlertBook, Moment
    from ml.scoring.books import BookProfile
    from ml.scoring.lines import LineKey
    from ml.scoring.matrix import LineMatrix
    from ml.scoring.rules import ScoringRules
    from ml.scoring.strategy import Strategy
    from ml.scoring.valuation import Valuation
    from ml.scoring.verdicts import VerdictChanges

    Rows = NDArray[np.intp]

KIND_BY_VERDICT: dict[int, AlertKind] = {OPEN: "value", OUTLIER: "likely_error"}
"""The alert that a verdict on a price opens."""
KIND_BY_ARBITRAGE_VERDICT: dict[int, AlertKind] = {OPEN: "arbitrage", ONE_BOOK: "likely_error"}
"""The alert that a verdict on an arbitrage opens."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Alertable prices or arbitrages (M,): keys, rows, whether the open alert of one has changed, and a function that
    returns the metrics and poll of those at given positions.
    """

    keys: Sequence[AlertKey]
    rows: Sequence[int]
    has_changed: Callable[[int, AlertMetrics], bool]
    describe: Callable[[Sequence[int]], Iterable[tuple[AlertMetrics, int]]]


_NO_CANDIDATES = _Candidates((), (), lambda *_: False, lambda _: ())


@dataclass(slots=True)
class VerdictAlerts:
    """Closes alerts that no longer hold and raises those that do; alerts on the rows `waiting` wait for a poll."""

    matrix: LineMatrix
    rules: ScoringRules
    strategy: Strategy
    point_models: Mapping[Market, PointModel]
    profile_of: Callable[[int], BookProfile]
    waiting: list[int] = field(default_factory=list)

    def step(
        self,
        book: AlertBook,
        rows: Rows,
        valuation: Valuation,
        changes: tuple[VerdictChanges, VerdictChanges],
        moment: Moment,
        *,
        max_opened: int,
    ) -> Iterator[Alert]:
        """Apply the valuation of `rows` to `book`, and yield the alert steps.

        `changes` are those of the verdicts on prices and on arbitrages. At most `max_opened` alerts open, others wait.
        """
        closings = (*self._price_closings(rows, changes[0]), *self._arbitrage_closings(rows, changes[1]))
        for key, reason_for in closings:
            closed = book.close(key, reason_for, moment)
            if closed is not None:
                yield closed
        for candidates in (
            self._price_candidates(rows, valuation, moment),
            self._arbitrage_candidates(rows, valuation, moment),
        ):
            due, waiting = book.select_due(candidates.keys, candidates.has_changed, max_opened=max_opened)
            self.waiting.extend(candidates.rows[i] for i in waiting)
            if due:
                for i, (metrics, poll_id) in zip(due, candidates.describe(due), strict=True):
                    step = book.raise_alert(candidates.keys[i], metrics, moment, poll_id)
                    max_opened -= step.seq == 0
                    yield step

    def take_waiting(self) -> Rows:
        """Return the rows on which alerts wait for a poll, and clear the list."""
        rows, self.waiting = np.array(self.waiting, np.intp), []
        return rows

    def _price_closings(self, rows: Rows, changes: VerdictChanges) -> Iterator[tuple[AlertKey, Callable[[Alert], str]]]:
        gone = is_alertable(changes.old)
        outcome, line, book = (where[gone] for where in changes.cells)
        price = self.matrix.price[outcome, rows[line], book]
        columns: tuple[NDArray[Any], ...] = (outcome, rows[line], book, price, changes.old[gone], changes.new[gone])
        for o, row, b, offered, old, new in zip(*(c.tolist() for c in columns), strict=True):
            yield self._price_key(KIND_BY_VERDICT[old], row, b, o), _price_closing_reason(offered, new)

    def _arbitrage_closings(
        self, rows: Rows, changes: VerdictChanges
    ) -> Iterator[tuple[AlertKey, Callable[[Alert], str]]]:
        gone, [line] = is_alertable_arbitrage(changes.old), changes.cells
        columns = rows[line[gone]], changes.old[gone], changes.new[gone]
        for row, old, new in zip(*(c.tolist() for c in columns), strict=True):
            reason = Verdict(new).reason if new > OPEN else "price_moved"
            yield self._arbitrage_key(KIND_BY_ARBITRAGE_VERDICT[old], row), _constant_reason(reason)

    def _price_candidates(self, rows: Rows, valuation: Valuation, moment: Moment) -> _Candidates:
        outcome, line, book = valuation.alertable
        if not line.size:
            return _NO_CANDIDATES
        verdict = valuation.verdict[valuation.alertable]
        columns: tuple[NDArray[Any], ...] = (outcome, rows[line], book, verdict)
        keys = [
            self._price_key(KIND_BY_VERDICT[v], row, b, o)
            for o, row, b, v in zip(*(c.tolist() for c in columns), strict=True)
        ]
        prices = valuation.lines.price[valuation.alertable].tolist()
        fair = valuation.fair.probability[outcome, line].tolist()

        def describe(due: Sequence[int]) -> Iterable[tuple[AlertMetrics, int]]:
            """Computed only for alerts that are due, since metrics cost more than the valuation itself."""
            batch = compute_metrics(
                valuation, np.array(due), self.point_models, moment.observed_at, self.rules, self.strategy
            )
            poll_ids = self.matrix.poll_id[batch.outcome, rows[batch.line], batch.book].tolist()
            return zip(price_metrics(batch), poll_ids, strict=True)

        return _Candidates(
            keys, rows[line].tolist(), lambda i, last: has_price_moved(last, prices[i], fair[i], self.rules), describe
        )

    def _arbitrage_candidates(self, rows: Rows, valuation: Valuation, moment: Moment) -> _Candidates:
        arbitrages, best = valuation.arbitrages, valuation.arbitrages.best
        [alertable] = is_alertable_arbitrage(arbitrages.verdict[arbitrages.rows]).nonzero()
        if not alertable.size:
            return _NO_CANDIDATES
        line, book = arbitrages.rows[alertable], best.book[alertable]
        row_of = rows[line].tolist()
        keys = [
            self._arbitrage_key(KIND_BY_ARBITRAGE_VERDICT[verdict], row)
            for row, verdict in zip(row_of, arbitrages.verdict[line].tolist(), strict=True)
        ]
        books, prices = self.matrix.book_ids[book].tolist(), best.price[alertable].tolist()

        def describe(due: Sequence[int]) -> Iterator[tuple[AlertMetrics, int]]:
            some = np.array(due)
            at, legs = line[some, None], book[some]
            ages = (moment.observed_at - valuation.lines.confirmed_at[at, legs]) / MICROS_PER_SECOND
            poll_ids = self.matrix.poll_id[np.arange(book.shape[1]), rows[at], legs]
            columns = alertable[some], ages.max(axis=1), poll_ids.max(axis=1)
            for i, index, age, poll_id in zip(due, *(c.tolist() for c in columns), strict=True):
                market, rules = keys[i].market, self._agreement(keys[i].market, books[i])
                metrics = arbitrage_metrics(arbitrages, index, OUTCOME_IDS[market], books[i], age, rules)
                yield metrics, poll_id

        return _Candidates(keys, row_of, lambda i, last: has_legs_changed(last, books[i], prices[i]), describe)

    def _agreement(self, market: int, books: Iterable[int]) -> RulesAgreement:
        """Whether the books of an arbitrage settle it alike."""
        return agreement([self.profile_of(book).rules_for(Market(market)) for book in set(books)])

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
            msg = f"row {row} of the matrix was valued but holds no line"
            raise AssertionError(msg)
        return line


def line_of_alert(key: AlertKey) -> LineKey:
    """The line that an alert is on."""
    return line_key(key.event, key.market, key.outcome, key.point)


def _constant_reason(reason: str) -> Callable[[Alert], str]:
    return lambda _: reason


def _price_closing_reason(price: float, verdict: int) -> Callable[[Alert], str]:
    """Why the alert on a price closes; `price` is the current one, NaN if it is no longer offered."""
    if verdict > OPEN:
        return _constant_reason(Verdict(verdict).reason)
    if isnan(price):
        return _constant_reason("withdrawn")
    return lambda alert: "market_moved" if price == alert.metrics.price else "price_moved"
