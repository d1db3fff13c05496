"""What cannot be true of many prices together: signs of shifted columns, swapped teams or a wrong file.

A single wrong price fails none of these checks: that is what quarantine is for. Prices are counted by the group that
they arrived in, so that a failing group can be held out as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.agreement import AgreementCollector, SourceKey, compare_orders, take_rows
from edge_assets.quality.check_failures import (
    ALL_BOOKS_ID,
    MAX_EXAMPLES,
    MIN_SAMPLE,
    WHOLE_SEASON,
    CheckFailure,
    PriceGroup,
    is_likely,
    is_significantly_above,
)
from edge_assets.quality.price_checks import (
    MAX_BOOK_TO_BEST_RATIO,
    best_price_below_books,
    booksum,
    booksum_out_of_range,
)
from edge_assets.quality.wrong_sources import (
    MAX_OPPOSED_RATIO,
    MAX_WRONG_SIGN_RATIO,
    count_wrong_signs,
    find_events_in_wrong_windows,
    find_orders_against_results,
    find_swapped_sources,
    find_wrong_line_signs,
    find_wrong_windows,
)
from edge_assets.quality.wrong_windows import TYPICAL_MARKED_RATIO
from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_assets.quality.agreement import SourceRows
    from edge_assets.quality.market_matrix import Columns, Flags, MarketMatrix
    from edge_assets.quality.winners import Winners
    from edge_assets.store.analytics.quarantine import CheckVerdict as PriceVerdict

BELOW_BEST_BOOKSUM = "below_best_booksum"
"""A book's booksum is below that of the recorded best prices, which no book can offer."""
MAX_WRONG_RATIO = {"absurd_prices": 0.01, "overround": 0.05, "margin": 0.1, BELOW_BEST_BOOKSUM: 0.1, "best_price": 0.25}
"""Maximum shares of a group's cases. In one real file (SC3 2021/22) 20% of best prices are below a book's, overall
1%.
"""
MIN_BOOKSUM = 0.99
"""A book below it gives money away. In real seasons only a few rows in 100,000 are."""
BOOKSUM_TOLERANCE_RATIO = 1.005
"""The two are not always recorded at the same time: 7% of the rows in the worst season differ by more, 0.1% overall."""
MIN_CONFIRMING_BOOKS = 2
"""Other books that do not beat the recorded best price: then it is right, and the book that beats it is wrong."""
ORDER_LIMITS = {
    "orientation": MAX_OPPOSED_RATIO,
    "local_agreement": TYPICAL_MARKED_RATIO,
    "line_sign": MAX_WRONG_SIGN_RATIO,
}
MAX_WRONG_COUNTS = MAX_WRONG_RATIO | ORDER_LIMITS
"""Maximum wrong share of a group's cases, by check; a check that counts no cases proves nothing sound."""
SHIFTED_ROW_REASONS = ("row_width", "result_contradicts_score")
MAX_SHIFTED_RATIO = 0.02
MAX_CONTRADICTED_RATIO = 0.02
CHECK_DESCRIPTIONS = {
    "absurd_prices": "No book has more than 1 % palpable errors.",
    "overround": "The booksum of a book is within the usual range.",
    "margin": "A book's booksum exceeds 1 and that of the best prices.",
    "orientation": "Books, and the recorded best price, agree on how likely each outcome is.",
    "local_agreement": "Sources agree in every stretch of a season, and draws are priced as in the rest of it.",
    "line_sign": "Favourites have a negative handicap.",
    "results_order": "Prices explain the results better than the same prices in another order.",
    "best_price": "No book offers more than the recorded best price.",
    "blind_betting": "Betting every selection blindly does not make a profit.",
    "row_width": "Rows have as many fields as their header, and scores agree with the stated result.",
    "results": "Sources agree on the results.",
}
CHECK_BY_VERDICT = {"palpable_price": "absurd_prices", "overround": "overround", "best_price": "best_price"}
"""The check that counts prices quarantined for each verdict."""


class CheckAccumulator:
    """Counts cases and wrong ones of each group, matrix by matrix."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, PriceGroup], NDArray[np.int64]] = defaultdict(lambda: np.zeros(2, np.int64))
        self._examples: dict[tuple[str, PriceGroup], list[dict[str, Any]]] = defaultdict(list)
        self._above_best: dict[PriceGroup, dict[PriceGroup, NDArray[np.int64]]] = defaultdict(
            lambda: defaultdict(lambda: np.zeros(2, np.int64))
        )
        self._agreement = AgreementCollector()

    def add(self, matrix: MarketMatrix, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        """Count the cases of a matrix with the `verdicts` on its single prices; its ticks index `ticks`."""
        origin = np.where(matrix.tick >= 0, ticks["import_id"][matrix.tick], -1)
        due, undecided = np.any(matrix.is_due, axis=2), matrix.without_decided_prices()
        ticks_by_verdict = {check: [i for i, v in verdicts.items() if v.check == check] for check in CHECK_BY_VERDICT}
        self._count(
            "absurd_prices", matrix, origin, matrix.is_due, np.isin(matrix.tick, ticks_by_verdict["palpable_price"])
        )
        self._count(
            "overround", matrix, origin.max(axis=2), undecided.is_complete & due, booksum_out_of_range(undecided)
        )
        self._count(
            "margin", matrix, origin.max(axis=2), undecided.is_complete & due, booksum(undecided.price) < MIN_BOOKSUM
        )
        self._agreement.add(matrix, ticks)
        if matrix.best_column is not None:
            sums = booksum(matrix.price)
            below_best = sums * BOOKSUM_TOLERANCE_RATIO < sums[:, [matrix.best_column]]
            is_comparable = matrix.is_complete & due & ~np.isnan(sums[:, [matrix.best_column]])
            self._count(BELOW_BEST_BOOKSUM, matrix, origin.max(axis=2), is_comparable, below_best)
            best = (matrix.books == BEST_PRICE_BOOK)[:, None]
            below = best_price_below_books(matrix)[0]
            by_decided = below & ~best_price_below_books(matrix.without_decided_prices())[0]
            wrong = below[:, None] | np.isin(matrix.tick, ticks_by_verdict["best_price"])
            self._count("best_price", matrix, origin, matrix.is_due & best, wrong & ~by_decided[:, None])
            self._count_above_best(matrix, matrix.best_column, origin)
        self._add_examples(matrix.market, ticks, verdicts)

    def find_failures(self, winners: Winners) -> list[CheckFailure]:
        """The groups that fail a check; the best price only if no other group fails that it may come from."""
        rows = self.rows
        failed = [
            CheckFailure(check, group, int(n), int(wrong) / int(n), self._examples[check, group])
            for (check, group), (n, wrong) in sorted(self._counts.items())
            if is_significantly_above(MAX_WRONG_RATIO[check], int(n), int(wrong))
        ]
        failed = [s for s in failed if s.check != BELOW_BEST_BOOKSUM or self._is_confirmed(s, failed)]
        failed = [s._replace(check="margin") if s.check == BELOW_BEST_BOOKSUM else s for s in failed]
        others = [s for s in failed if s.check != "best_price"] + find_swapped_sources(rows, winners)
        return (
            others
            or find_wrong_windows(rows, winners)
            or find_wrong_line_signs(rows)
            or [attributed for s in failed for attributed in self._attribute_best_price(s)]
        )

    def find_failures_in_season(self, winners: Winners) -> list[CheckFailure]:
        """The groups that fail by themselves or, if none does, as part of the whole season.

        The best price, again, only if no other group fails.
        """
        alone = [*self.widen_to_season(self.find_failures(winners))]
        if self.season is self or any(s.check != "best_price" for s in alone):
            return alone
        by_season = [*self.spread_to_imports(self.season.find_failures(winners))]
        return alone if alone and all(s.check == "best_price" for s in by_season) else by_season

    def find_contradicted(self, winners: Winners) -> list[CheckFailure]:
        """The groups that the results contradict, whatever other sources state."""
        return list(find_orders_against_results(self.rows, winners))

    @cached_property
    def rows(self) -> dict[SourceKey, SourceRows]:
        """Each source's rows, with the median of the others."""
        return self._agreement.rows()

    @cached_property
    def groups(self) -> set[PriceGroup]:
        """All groups of prices."""
        return {group for _, group in self._counts}

    @cached_property
    def season(self) -> CheckAccumulator:
        """The accumulator of all imports together; itself, if all prices came from one."""
        if len({group.import_id for group in self.groups}) <= 1:
            return self
        whole = CheckAccumulator()
        for (check, group), counts in self._counts.items():
            place = check, group._replace(import_id=WHOLE_SEASON)
            whole._counts[place] += counts
            whole._examples[place] = [*whole._examples[place], *self._examples[check, group]][:MAX_EXAMPLES]
        for best, excesses in self._above_best.items():
            of_best = whole._above_best[best._replace(import_id=WHOLE_SEASON)]
            for group, counts in excesses.items():
                of_best[group._replace(import_id=WHOLE_SEASON)] += counts
        whole._agreement = self._agreement.merge_imports()
        return whole

    def spread_to_imports(self, failures: Iterable[CheckFailure]) -> Iterator[CheckFailure]:
        """A season's failures, attributed to each of its imports that is not known to be sound by itself."""
        for failure in failures:
            if failure.group.import_id != WHOLE_SEASON:
                yield failure
                continue
            if failure.check == "local_agreement":
                yield from self._select_within_window(failure)
            else:
                yield from self._select_unsound(failure, self._find_imports_of(failure.group))

    def widen_to_season(self, failures: Sequence[CheckFailure]) -> Iterator[CheckFailure]:
        """Failures of some imports and, if too much of the season's other imports is wrong, of those too."""
        yield from failures
        by_season: dict[tuple[str, int, int], list[CheckFailure]] = defaultdict(list)
        for failure in failures:
            by_season[failure.check, failure.group.book, failure.group.market].append(failure)
        for some in by_season.values():
            rest = self._find_imports_of(some[0].group) - {s.group.import_id for s in some}
            counts = [self._count_group(some[0].check, some[0].group._replace(import_id=each)) for each in rest]
            if sum(wrong for _, wrong in counts) > MAX_WRONG_COUNTS.get(some[0].check, 0) * sum(n for n, _ in counts):
                yield from self._select_unsound(some[0], rest)

    def _find_imports_of(self, group: PriceGroup) -> set[int]:
        """The imports with prices of the same book and market."""
        return {g.import_id for g in self.groups if g.market == group.market and group.book in {ALL_BOOKS_ID, g.book}}

    def _count_in_window(self, group: PriceGroup) -> tuple[int, int]:
        """Events of a group and how many are in a window, its own or its season's, in which the source is wrong."""
        key = SourceKey(group.market, group.import_id, group.book)
        rows = self.rows.get(key)
        if rows is None:
            return 0, 0
        n, wrong = find_events_in_wrong_windows(rows)
        if len(wrong) or self.season is self:
            return n, len(wrong)
        wrong = find_events_in_wrong_windows(self.season.rows[key._replace(import_id=WHOLE_SEASON)])[1]
        return len(np.unique(rows.event)), len(np.intersect1d(wrong, rows.event))

    def _select_within_window(self, failure: CheckFailure) -> Iterator[CheckFailure]:
        """The failure for each import with prices of the wrong events: the others agree with the season."""
        place = SourceKey(failure.group.market, WHOLE_SEASON, failure.group.book)
        wrong = find_events_in_wrong_windows(self.season.rows[place])[1]
        for import_id in sorted(self._find_imports_of(failure.group)):
            rows = self.rows.get(place._replace(import_id=import_id))
            if rows is not None and np.isin(rows.event, wrong).any():
                yield failure._replace(group=failure.group._replace(import_id=import_id))

    def _select_unsound(self, failure: CheckFailure, imports: Iterable[int]) -> Iterator[CheckFailure]:
        """The failure for those imports that are not known to be sound by themselves.

        A feed is not part of a split file, and it goes on: it must be known to be wrong itself.
        """
        for each in sorted(imports):
            group = failure.group._replace(import_id=each)
            n, wrong = self._count_group(failure.check, group)
            is_checked = n >= MIN_SAMPLE or each == 0
            if not is_checked or wrong > MAX_WRONG_COUNTS.get(failure.check, 0) * n:
                yield failure._replace(group=group)

    def is_sound(self, group: PriceGroup) -> bool:
        """Whether every check of the group, however small, has no more wrong cases than chance brings."""
        found = {check: self._count_group(check, group) for check in MAX_WRONG_RATIO.keys() | ORDER_LIMITS.keys()}
        return all(is_likely(MAX_WRONG_COUNTS[check], n, wrong) for check, (n, wrong) in found.items())

    def count_compared_events(self, book: int, market: Market) -> int:
        """How many events of a source can be checked, because other sources cover them."""
        some = [r.event[r.other_count > 0] for k, r in self.rows.items() if (k.source, k.market) == (book, market)]
        return len(np.unique(np.concatenate(some))) if some else 0

    def _count_group(self, check: str, group: PriceGroup) -> tuple[int, int]:
        """A check's cases of a group and how many are wrong; zero if the check counts no cases."""
        if check == "orientation":
            rows = self.rows.get(SourceKey(group.market, group.import_id, group.book))
            found = (
                compare_orders(take_rows(rows, rows.other_count > 0)) if rows and (rows.other_count > 0).any() else None
            )
            return (found.decisive_events, found.opposed_events) if found else (0, 0)
        if check == "local_agreement":
            return self._count_in_window(group)
        if check == "line_sign":
            sign_counts = [
                signs
                for key, signs in self._sign_counts.items()
                if key[:2] == (group.market, group.import_id) and group.book in {ALL_BOOKS_ID, key.source}
            ]
            return sum(n for n, _ in sign_counts), sum(wrong for _, wrong in sign_counts)
        names = ("margin", BELOW_BEST_BOOKSUM) if check == "margin" else (check,)
        counts = [self._counts[name, group] for name in names if (name, group) in self._counts]
        return max(((int(n), int(wrong)) for n, wrong in counts), key=itemgetter(1), default=(0, 0))

    @cached_property
    def _sign_counts(self) -> dict[SourceKey, tuple[int, int]]:
        return count_wrong_signs(self.rows)

    def _is_confirmed(self, failure: CheckFailure, failed: list[CheckFailure]) -> bool:
        """Whether enough other books do not beat the recorded best prices, which are then right."""
        checked_groups = {g for (c, g), (n, _) in self._counts.items() if c == BELOW_BEST_BOOKSUM and n >= MIN_SAMPLE}
        others = {g.book for g in checked_groups - {s.group for s in failed if s.check == BELOW_BEST_BOOKSUM}}
        same_market = {g.book for g in checked_groups if g[1:] == failure.group[1:]}
        return len(others & same_market) >= MIN_CONFIRMING_BOOKS

    def _attribute_best_price(self, failure: CheckFailure) -> list[CheckFailure]:
        """Which group is wrong where books offer more than the recorded best price.

        The one book without which the best price would pass, if enough other books confirm the best price; that book
        and the best price, if too few do; the best price, if several books offer more.
        """
        excesses = self._above_best[failure.group]
        wrong = round(failure.wrong_ratio * failure.cases)
        culprits = [
            CheckFailure("best_price", group, int(n), int(alone) / int(n), [{"reason": "no other book offers more"}])
            for group, (n, alone) in excesses.items()
            if n and not is_significantly_above(MAX_WRONG_RATIO["best_price"], failure.cases, wrong - int(alone))
        ]
        if not culprits:
            return [failure]
        book = max(culprits, key=lambda s: s.wrong_ratio)
        confirming_books = {group.book for group, (n, _) in excesses.items() if n >= MIN_SAMPLE} - {book.group.book}
        return [book] if len(confirming_books) >= MIN_CONFIRMING_BOOKS else [book, failure]

    def _count_above_best(self, matrix: MarketMatrix, best: int, origin: NDArray[Any]) -> None:
        """Count how often each book is compared with the best price, and how often it alone offers more."""
        stated = (
            (matrix.tick >= 0) & (matrix.books != BEST_PRICE_BOOK)[:, None] & matrix.is_due[:, [best]] & ~matrix.decided
        )
        is_above_best = stated & (matrix.price > matrix.price[:, [best]] * MAX_BOOK_TO_BEST_RATIO)
        is_only_one = is_above_best & (is_above_best.sum(axis=1, keepdims=True) == 1)
        for best_import in np.unique(origin[:, best][matrix.is_due[:, best]]).tolist():
            excesses = self._above_best[PriceGroup(BEST_PRICE_BOOK, matrix.market, best_import)]
            of_import = stated & (origin[:, [best]] == best_import)
            for import_id in np.unique(origin[of_import]).tolist():
                cases = of_import & (origin == import_id)
                counts = cases.sum(axis=(0, 2)), (cases & is_only_one).sum(axis=(0, 2))
                for book, *found in zip(matrix.books.tolist(), *counts, strict=True):
                    excesses[PriceGroup(book, matrix.market, import_id)] += found

    def checked_books(self, import_id: int) -> set[int]:
        """The books with prices from an import (0: the feed) and enough cases to be checked."""
        checked = {group.book for (_, group), (n, _) in self.season._counts.items() if n >= MIN_SAMPLE}
        return {g.book for g in self.groups if g.import_id == import_id and g.book >= 0} & checked

    def _count(self, check: str, matrix: MarketMatrix, origin: NDArray[Any], is_case: Flags, wrong: Flags) -> None:
        axes = (0, 2)[: is_case.ndim - 1]
        for import_id in np.unique(origin[is_case]).tolist():
            cases = is_case & (origin == import_id)
            totals = zip(matrix.books.tolist(), cases.sum(axis=axes), (cases & wrong).sum(axis=axes), strict=True)
            for book, n, bad in totals:
                if n:
                    self._counts[check, PriceGroup(book, matrix.market, import_id)] += (n, bad)

    def _add_examples(self, market: Market, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        for tick, (check, reason) in verdicts.items():
            group = PriceGroup(int(ticks["book_id"][tick]), market, int(ticks["import_id"][tick]))
            shown = self._examples[CHECK_BY_VERDICT[check], group]
            if len(shown) < MAX_EXAMPLES:
                event, price = int(ticks["event_id"][tick]), float(ticks["price"][tick])
                shown.append({"event_id": event, "price": price, "reason": reason})
