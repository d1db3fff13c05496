"""What cannot be true of many prices together: it tells of shifted columns, exchanged teams or a wrong file.

A single wrong price fails none of these checks: that is what quarantine is for. Prices are counted by the group that
they came in, so that what fails can be held out as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.agreement import Agreement, Key, compare, take
from edge_assets.quality.blame import (
    MOST_OPPOSED,
    MOST_WRONG_SIGNS,
    of_lines,
    of_orders,
    of_results,
    wrong_signs,
)
from edge_assets.quality.judgement import BELOW, below_a_book, booksum, out_of_band
from edge_assets.quality.suspicions import (
    ENOUGH,
    EVERY,
    EXAMPLES,
    SEASON,
    Group,
    Suspicion,
    is_clearly_above,
    is_likely,
)
from edge_assets.store.quarantine import BEST
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_assets.quality.agreement import Rows
    from edge_assets.quality.boards import Board, Columns, Flags
    from edge_assets.quality.outcomes import Winners
    from edge_assets.store.quarantine import Verdict as PriceVerdict

UNDER_BEST = "under_best"
"""What a book's prices imply is less than what the recorded best prices do, which no book can offer."""
MOST_WRONG = {"absurd_prices": 0.01, "overround": 0.05, "margin": 0.1, UNDER_BEST: 0.1, "best_price": 0.25}
"""Shares of a group's cases. Best prices of one real file are below a book's in 20% (SC3 2021/22), of all in 1%."""
LEAST_SUM = 0.99
"""Of what a book's prices imply: who offers less gives money away. Of real seasons' rows none but a few in 100,000."""
NEARLY = 1.005
"""The two are not always recorded at the same moment: so in 7% of the rows of the worst season, in 0.1% of all."""
WITNESSES = 2
"""Other books that do not beat the recorded best price either: then it is right, and the one that does is wrong."""
ORDERS = {"orientation": MOST_OPPOSED, "line_sign": MOST_WRONG_SIGNS}
MOST = MOST_WRONG | ORDERS
"""Share of a group's cases, by check; of what is not counted case by case nothing is known to be sound."""
SHIFTED = ("row_width", "result_contradicts_score")
MOST_SHIFTED = 0.02
MOST_CONTRADICTED = 0.02
CHECKS = {
    "absurd_prices": "No book is palpably wrong again and again.",
    "overround": "A book's prices on all outcomes imply what a book's do.",
    "margin": "No book gives money away: its prices imply more than one, and more than the best prices, in sum.",
    "orientation": "Books, and the recorded best price, agree on which outcome is how likely.",
    "line_sign": "Favourites give a start, they get none.",
    "results_order": "Prices make the results likelier than the same prices in another order.",
    "best_price": "The recorded best price is no book's to beat.",
    "blind_betting": "Betting everything at any single price does not win.",
    "row_width": "Rows are as wide as their header, and scores say who won.",
    "results": "Sources agree on the results.",
}
OF_VERDICTS = {"palpable_price": "absurd_prices", "overround": "overround", "best_price": "best_price"}
"""Which check counts what a single price is quarantined for."""


class Survey:
    """Counts what is wrong of each group, board by board."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Group], NDArray[np.int64]] = defaultdict(lambda: np.zeros(2, np.int64))
        self._examples: dict[tuple[str, Group], list[dict[str, Any]]] = defaultdict(list)
        self._excesses: dict[Group, dict[Group, NDArray[np.int64]]] = defaultdict(
            lambda: defaultdict(lambda: np.zeros(2, np.int64))
        )
        self._agreement = Agreement()

    def add(self, board: Board, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        """Look at a board as it came, and at what was found of its single prices; its ticks index `ticks`."""
        origin = np.where(board.tick >= 0, ticks["import_id"][board.tick], -1)
        due, mine = np.any(board.due, axis=2), board.undecided()
        found = {check: [i for i, v in verdicts.items() if v.check == check] for check in OF_VERDICTS}
        self._count("absurd_prices", board, origin, board.due, np.isin(board.tick, found["palpable_price"]))
        self._count("overround", board, origin.max(axis=2), mine.whole & due, out_of_band(mine))
        self._count("margin", board, origin.max(axis=2), mine.whole & due, booksum(mine.price) < LEAST_SUM)
        self._agreement.add(board, ticks)
        if board.best is not None:
            sums = booksum(board.price)
            under = sums * NEARLY < sums[:, [board.best]]
            whole = board.whole & due & ~np.isnan(sums[:, [board.best]])
            self._count(UNDER_BEST, board, origin.max(axis=2), whole, under)
            best = (board.books == BEST)[:, None]
            below = below_a_book(board)[0]
            by_decided = below & ~below_a_book(board.undecided())[0]
            wrong = below[:, None] | np.isin(board.tick, found["best_price"])
            self._count("best_price", board, origin, board.due & best, wrong & ~by_decided[:, None])
            self._count_excesses(board, board.best, origin)
        self._show(board.market, ticks, verdicts)

    def suspicions(self, winners: Winners) -> list[Suspicion]:
        """The groups that fail a check; of the best price only where nothing else does that it may come from."""
        rows = self.rows
        failed = [
            Suspicion(check, group, int(n), int(wrong) / int(n), self._examples[check, group])
            for (check, group), (n, wrong) in sorted(self._counts.items())
            if is_clearly_above(MOST_WRONG[check], int(n), int(wrong))
        ]
        failed = [s for s in failed if s.check != UNDER_BEST or self._is_borne_out(s, failed)]
        failed = [s._replace(check="margin") if s.check == UNDER_BEST else s for s in failed]
        others = [s for s in failed if s.check != "best_price"] + of_orders(rows, winners)
        return others or of_lines(rows) or [blamed for s in failed for blamed in self._of_best(s)]

    def failing(self, winners: Winners) -> list[Suspicion]:
        """The groups that fail by themselves or, if none does, as parts of their season.

        Of the best price, again, only where nothing else does.
        """
        alone = [*self.widen(self.suspicions(winners))]
        if self.season is self or any(s.check != "best_price" for s in alone):
            return alone
        together = [*self.spread(self.season.suspicions(winners))]
        return alone if alone and all(s.check == "best_price" for s in together) else together

    def contradicted(self, winners: Winners) -> list[Suspicion]:
        """The groups that the results contradict, whatever the others say."""
        return list(of_results(self.rows, winners))

    @cached_property
    def rows(self) -> dict[Key, Rows]:
        """What each source said beside the others."""
        return self._agreement.rows()

    @cached_property
    def groups(self) -> set[Group]:
        """Whatever prices there are."""
        return {group for _, group in self._counts}

    @cached_property
    def season(self) -> Survey:
        """The same, whichever import the prices came from; itself, if all came from one."""
        if len({group.import_id for group in self.groups}) <= 1:
            return self
        whole = Survey()
        for (check, group), counts in self._counts.items():
            place = check, group._replace(import_id=SEASON)
            whole._counts[place] += counts
            whole._examples[place] = [*whole._examples[place], *self._examples[check, group]][:EXAMPLES]
        for best, excesses in self._excesses.items():
            of_best = whole._excesses[best._replace(import_id=SEASON)]
            for group, counts in excesses.items():
                of_best[group._replace(import_id=SEASON)] += counts
        whole._agreement = self._agreement.together()
        return whole

    def spread(self, suspicions: Iterable[Suspicion]) -> Iterator[Suspicion]:
        """What is suspected of a season, of each import of it that is not known to be sound by itself."""
        for suspicion in suspicions:
            if suspicion.group.import_id != SEASON:
                yield suspicion
                continue
            yield from self._unsound(suspicion, self._alike(suspicion.group))

    def widen(self, suspicions: Sequence[Suspicion]) -> Iterator[Suspicion]:
        """What is suspected of some imports and, where too much of the others of the season is wrong, of these too."""
        yield from suspicions
        by_season: dict[tuple[str, int, int], list[Suspicion]] = defaultdict(list)
        for suspicion in suspicions:
            by_season[suspicion.check, suspicion.group.book, suspicion.group.market].append(suspicion)
        for some in by_season.values():
            rest = self._alike(some[0].group) - {s.group.import_id for s in some}
            counts = [self._alone(some[0].check, some[0].group._replace(import_id=each)) for each in rest]
            if sum(wrong for _, wrong in counts) > MOST.get(some[0].check, 0) * sum(n for n, _ in counts):
                yield from self._unsound(some[0], rest)

    def _alike(self, group: Group) -> set[int]:
        """The imports that tell of the same book and market."""
        return {g.import_id for g in self.groups if g.market == group.market and group.book in {EVERY, g.book}}

    def _unsound(self, suspicion: Suspicion, imports: Iterable[int]) -> Iterator[Suspicion]:
        """The same of those imports that are not known to be sound by themselves.

        A feed is no file that was cut up, and it goes on: of that it has to be known that it is wrong.
        """
        for each in sorted(imports):
            group = suspicion.group._replace(import_id=each)
            n, wrong = self._alone(suspicion.check, group)
            is_judged = n >= ENOUGH or each == 0
            if not is_judged or wrong > MOST.get(suspicion.check, 0) * n:
                yield suspicion._replace(group=group)

    def is_sound(self, group: Group) -> bool:
        """Whether by no check more of a group is wrong than chance brings, be it ever so small."""
        found = {check: self._alone(check, group) for check in MOST_WRONG.keys() | ORDERS.keys()}
        return all(is_likely(MOST[check], n, wrong) for check, (n, wrong) in found.items())

    def events(self, book: int, market: Market) -> int:
        """On how many events a source can be judged, because there are others to compare it with."""
        some = [r.event[r.others > 0] for k, r in self.rows.items() if (k.source, k.market) == (book, market)]
        return len(np.unique(np.concatenate(some))) if some else 0

    def _alone(self, check: str, group: Group) -> tuple[int, int]:
        """How many cases a check has of a group, and how many of them are wrong; none if it does not count them."""
        if check == "orientation":
            rows = self.rows.get(Key(group.market, group.import_id, group.book))
            found = compare(take(rows, rows.others > 0)) if rows and (rows.others > 0).any() else None
            return (found.told, found.opposed) if found else (0, 0)
        if check == "line_sign":
            mine = [
                signs
                for key, signs in self._signs.items()
                if key[:2] == (group.market, group.import_id) and group.book in {EVERY, key.source}
            ]
            return sum(n for n, _ in mine), sum(wrong for _, wrong in mine)
        names = ("margin", UNDER_BEST) if check == "margin" else (check,)
        counts = [self._counts[name, group] for name in names if (name, group) in self._counts]
        return max(((int(n), int(wrong)) for n, wrong in counts), key=itemgetter(1), default=(0, 0))

    @cached_property
    def _signs(self) -> dict[Key, tuple[int, int]]:
        return wrong_signs(self.rows)

    def _is_borne_out(self, under: Suspicion, failed: list[Suspicion]) -> bool:
        """Whether others do not offer more than the recorded best prices: then those are right."""
        mine = {g for (c, g), (n, _) in self._counts.items() if c == UNDER_BEST and n >= ENOUGH}
        others = {g.book for g in mine - {s.group for s in failed if s.check == UNDER_BEST}}
        alike = {g.book for g in mine if g[1:] == under.group[1:]}
        return len(others & alike) >= WITNESSES

    def _of_best(self, failed: Suspicion) -> list[Suspicion]:
        """Whom to suspect where books offer more than the recorded best price.

        The one book without which the best price would pass, if others bear it out; it and the best price, if there
        are too few to tell; the best price, if several offer more.
        """
        excesses = self._excesses[failed.group]
        wrong = round(failed.wrong * failed.cases)
        explain = [
            Suspicion("best_price", group, int(n), int(alone) / int(n), [{"reason": "no other book offers more"}])
            for group, (n, alone) in excesses.items()
            if n and not is_clearly_above(MOST_WRONG["best_price"], failed.cases, wrong - int(alone))
        ]
        if not explain:
            return [failed]
        book = max(explain, key=lambda s: s.wrong)
        witnesses = {group.book for group, (n, _) in excesses.items() if n >= ENOUGH} - {book.group.book}
        return [book] if len(witnesses) >= WITNESSES else [book, failed]

    def _count_excesses(self, board: Board, best: int, origin: NDArray[Any]) -> None:
        """How often each book is compared with the best price, and how often it is the only one that offers more."""
        stated = (board.tick >= 0) & (board.books != BEST)[:, None] & board.due[:, [best]] & ~board.decided
        more = stated & (board.price > board.price[:, [best]] * BELOW)
        alone = more & (more.sum(axis=1, keepdims=True) == 1)
        for best_import in np.unique(origin[:, best][board.due[:, best]]).tolist():
            excesses = self._excesses[Group(BEST, board.market, best_import)]
            of_import = stated & (origin[:, [best]] == best_import)
            for import_id in np.unique(origin[of_import]).tolist():
                cases = of_import & (origin == import_id)
                counts = cases.sum(axis=(0, 2)), (cases & alone).sum(axis=(0, 2))
                for book, *found in zip(board.books.tolist(), *counts, strict=True):
                    excesses[Group(book, board.market, import_id)] += found

    def books(self, import_id: int) -> set[int]:
        """The books that an import (0: the feed) has told of, and that there is enough of to be judged."""
        judged = {group.book for (_, group), (n, _) in self.season._counts.items() if n >= ENOUGH}
        return {g.book for g in self.groups if g.import_id == import_id and g.book >= 0} & judged

    def _count(self, check: str, board: Board, origin: NDArray[Any], looked_at: Flags, wrong: Flags) -> None:
        over = (0, 2)[: looked_at.ndim - 1]
        for import_id in np.unique(origin[looked_at]).tolist():
            cases = looked_at & (origin == import_id)
            totals = zip(board.books.tolist(), cases.sum(axis=over), (cases & wrong).sum(axis=over), strict=True)
            for book, n, bad in totals:
                if n:
                    self._counts[check, Group(book, board.market, import_id)] += (n, bad)

    def _show(self, market: Market, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        for tick, (check, reason) in verdicts.items():
            group = Group(int(ticks["book_id"][tick]), market, int(ticks["import_id"][tick]))
            shown = self._examples[OF_VERDICTS[check], group]
            if len(shown) < EXAMPLES:
                event, price = int(ticks["event_id"][tick]), float(ticks["price"][tick])
                shown.append({"event_id": event, "price": price, "reason": reason})
