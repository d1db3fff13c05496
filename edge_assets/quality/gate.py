"""The gate before the warehouse: checks new prices, quarantines single ones, and holds out groups that fail.

Everything that is not held out goes on. Each season is checked with everything known of it, from all imports and polls,
and what fails is taken out before the rest is checked again: a book with shifted columns makes the recorded best price
appear wrong as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.quality import checks
from edge_assets.quality.blind_bets import BlindBets
from edge_assets.quality.check_failures import MIN_SAMPLE, WHOLE_SEASON, is_significantly_above
from edge_assets.quality.finding_drafts import (
    CheckedSeason,
    FindingDraft,
    describe_too_few,
    draft_findings,
    group_of,
    is_about_group,
)
from edge_assets.quality.market_matrix import build_matrices
from edge_assets.quality.price_checks import check_prices
from edge_assets.quality.winners import Winners
from edge_assets.store.analytics import check_inputs as check_queries
from edge_assets.store.analytics import findings, held_out
from edge_assets.store.analytics import quarantine as store
from edge_assets.store.analytics.findings import FindingScope
from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from edge_assets.store.lookups import load_books, load_sports
from ml.quotes import MARKET_OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from edge_assets.quality.check_failures import CheckFailure
    from edge_assets.store.analytics.findings import Finding, Suspected

    OpenFindings = dict[int, Suspected]
    """Open findings that are checked again, by id."""

BATCH_EVENTS = 500
"""Some hundred thousand ticks, tens of megabytes as matrices."""
MARKET_IDS = [int(market) for market in MARKET_OUTCOMES]
GATE_LOCK_ID = 0x0ED71
"""Advisory lock: one run at a time."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """Counts of events, ticks checked and ticks quarantined in this run, its new findings that are open, and all open
    ones.
    """

    events: int
    ticks: int
    quarantined: int
    new_findings: list[int]
    open_findings: list[Finding]


def run_quality_gate(conn: Connection, *, recheck_all: bool = False) -> GateReport:
    """Check the ticks that are not in the warehouse yet, or all of them (`recheck_all`)."""
    conn.execute("SELECT pg_advisory_lock(%s)", [GATE_LOCK_ID])
    try:
        held_out.apply_decisions(conn)
        gate = _GateRun(conn, {book.id: book.key for book in load_books(conn).values()}, recheck_all)
        gate.check_files()
        gate.check_prices()
        gate.check_results()
        findings.resolve_replaced_findings(conn, gate.sound)
        held_out.apply_decisions(conn)
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [GATE_LOCK_ID])
    counts = gate.counts
    open_findings = findings.load_findings(conn)
    new_findings = [finding.id for finding in open_findings if not gate.new_findings.isdisjoint(finding.ids)]
    return GateReport(counts["events"], counts["ticks"], counts["quarantined"], new_findings, open_findings)


class CheckedBatch(NamedTuple):
    """Ticks of `events`: how many were `due`, the `wrong` ones with their verdicts, and the `sound` ones that are in
    quarantine; and the (book, import) pairs with prices that a later import repeats."""

    events: Sequence[int]
    due: int
    wrong: store.Columns
    verdicts: list[store.CheckVerdict]
    sound: store.Columns
    restated: set[tuple[int, int]]


@dataclass
class _GateRun:
    """One run; `book_keys` maps book ids to keys."""

    conn: Connection
    book_keys: Mapping[int, str]
    recheck_all: bool
    counts: Counter[str] = field(default_factory=Counter)
    new_findings: set[int] = field(default_factory=set)
    due: set[int] = field(default_factory=set)
    checked_events: list[int] = field(default_factory=list)
    sound: set[held_out.Sound] = field(default_factory=set)

    def check_files(self) -> None:
        """Hold out files in which many rows are shifted: the others cannot be trusted either."""
        for import_id, file, rows, shifted in check_queries.load_rejected_rows(self.conn, checks.SHIFTED_ROW_REASONS):
            if shifted > checks.MAX_SHIFTED_RATIO * (rows + shifted):
                evidence = {"file": file, "rows": rows + shifted, "rejected": shifted}
                reason = f"{shifted:,} of {rows + shifted:,} rows are shifted: {checks.CHECK_DESCRIPTIONS['row_width']}"
                self._record_finding(FindingDraft(FindingScope(import_id=import_id), ["row_width"], reason, evidence))

    def check_prices(self) -> None:
        """Check each season, then each sport as a whole, because blind betting needs more bets than a small season
        has.
        """
        self.due = {*store.load_due_events(self.conn, everything=self.recheck_all)}
        seasons = store.load_evidence(self.conn, sorted(self.due))
        self.checked_events = sorted(event for events in seasons.values() for event in events)
        scores = check_queries.load_check_results(self.conn, self.checked_events)
        bets: dict[int, BlindBets] = defaultdict(BlindBets)
        for (sport, season), events in seasons.items():
            place = CheckedSeason(sport, season, check_queries.find_sport_feed(self.conn, sport))
            bets[sport].merge(self._check_season(place, events, scores))
        self._check_sports(bets, scores)

    def check_results(self) -> None:
        """Block sports whose sources often contradict each other: results from one source may be wrong as well."""
        for sport, events, contradicted in check_queries.count_contradicted_results(self.conn, self.checked_events):
            is_frequent = is_significantly_above(checks.MAX_CONTRADICTED_RATIO, events, contradicted)
            if is_frequent and not findings.is_accepted(self.conn, FindingScope(sport), ["results"]):
                reason = f"the results of {contradicted:,} of {events:,} events are contradicted"
                evidence = {"events": events, "contradicted": contradicted}
                self._record_finding(FindingDraft(FindingScope(sport), ["results"], reason, evidence, blocks=True))

    def _check_season(self, checked: CheckedSeason, events: Sequence[int], scores: check_queries.Columns) -> BlindBets:
        """Check until nothing more fails; return the bets on the remaining prices.

        Open findings are checked again together with newer prices, so that the order of imports does not matter. It all
        happens in one transaction: no reader sees held-out prices while they are checked.
        """
        known = findings.load_season_findings(self.conn, checked.sport_id, checked.season or 0, events)
        rechecked = {f.id: f for f in known if f.state == "open" and f.import_id and "row_width" not in f.checks}
        with self.conn.transaction() if rechecked else nullcontext():
            if rechecked:
                held_out.update_held_out_polls(self.conn, rechecked)
            while True:
                results = checks.CheckAccumulator()
                checked_ticks = [self._check_batch(batch, results) for batch in _batches(events)]
                bets = self._check_together(checked, results, checked_ticks, rechecked, scores)
                if bets is not None:
                    self.counts.update(
                        events=len(self.due.intersection(events)), ticks=sum(batch.due for batch in checked_ticks)
                    )
                    return bets

    def _check_together(
        self,
        checked: CheckedSeason,
        results: checks.CheckAccumulator,
        batches: Sequence[CheckedBatch],
        rechecked: OpenFindings,
        scores: check_queries.Columns,
    ) -> BlindBets | None:
        """Quarantine single prices and return the bets on the rest; None if another group was held out."""
        winners = Winners(scores, {row.id: row.key for row in load_sports(self.conn).values()})
        failed = results.find_failures_in_season(winners)
        if self._hold_out(checked, failed, results, rechecked):
            return None
        self.counts["quarantined"] += sum(store.quarantine_ticks(self.conn, b.wrong, b.verdicts) for b in batches)
        for batch in batches:
            store.release_ticks(self.conn, batch.sound)
        events = [event for batch in batches for event in batch.events]
        bets = self._collect_bets(events, scores)
        failed = [*bets.find_failures()] or results.find_contradicted(winners)
        if not failed and results.season is not results:
            whole = [*bets.merge_imports(WHOLE_SEASON).find_failures()] or results.season.find_contradicted(winners)
            failed = [*results.spread_to_imports(whole)]
        if self._hold_out(checked, failed, results, rechecked) or self._resolve_rechecked(
            checked, results, batches, rechecked
        ):
            return None
        self.sound |= {
            held_out.Sound(checked.sport_id, checked.season or 0, book, market)
            for source, market in {(g.book, g.market) for g in results.groups}
            if results.season.count_compared_events(source, market) >= MIN_SAMPLE
            for book in (source, BEST_PRICE_BOOK - 1)  # recorded averages follow the books
        }
        return bets

    def _resolve_rechecked(
        self,
        checked: CheckedSeason,
        results: checks.CheckAccumulator,
        batches: Sequence[CheckedBatch],
        rechecked: OpenFindings,
    ) -> bool:
        """Release rechecked findings that are sound, and hold out groups too small to check; whether anything changed.

        While a book has a finding, its prices do not pass merely because they could not be checked.
        """
        events = [event for batch in batches for event in batch.events]
        restated = {pair for batch in batches for pair in batch.restated}
        known = findings.load_season_findings(self.conn, checked.sport_id, checked.season or 0, events)
        suspected = [f for f in known if f.import_id and f.id not in rechecked]
        too_few = [draft for f in suspected for draft in self._draft_too_few(checked, results, f)]
        if sum(self._record_finding(draft, rechecked) for draft in too_few):
            return True
        for finding in list(rechecked.values()):
            group = group_of(finding)
            if group is None or group not in results.groups or (group.book, group.import_id) in restated:
                continue
            n = results.season.count_compared_events(group.book, group.market)
            if n >= MIN_SAMPLE and results.is_sound(group):
                reason = f"sound when checked with all {n} known events of the season"
                findings.release_sound(self.conn, finding.id, reason)
                del rechecked[finding.id]
        if rechecked:
            rechecked.clear()
            held_out.update_held_out_polls(self.conn)
            return True
        return False

    def _draft_too_few(
        self, checked: CheckedSeason, results: checks.CheckAccumulator, finding: findings.Suspected
    ) -> Iterator[FindingDraft]:
        for group in sorted(results.groups):
            n = results.season.count_compared_events(group.book, group.market)
            if group.import_id and n < MIN_SAMPLE and is_about_group(finding, group):
                yield describe_too_few(checked, group, n, finding)

    def _check_batch(self, events: Sequence[int], results: checks.CheckAccumulator) -> CheckedBatch:
        ticks = store.load_due_ticks(self.conn, events, MARKET_IDS)
        verdict_by_tick: dict[int, store.CheckVerdict] = {}
        is_seen = np.zeros(len(ticks["due"]), np.bool_)
        for matrix in build_matrices(ticks):
            verdicts = check_prices(matrix)
            results.add(matrix, ticks, verdicts)
            verdict_by_tick |= verdicts
            is_seen[matrix.tick[matrix.tick >= 0]] = True
        index = np.array(sorted(verdict_by_tick), np.intp)
        is_held = (ticks["held"] > 0) & (ticks["due"] > 0)
        is_held[index] = False
        is_held &= is_seen
        due = int(((ticks["due"] > 0) & (self.recheck_all | (ticks["new"] > 0))).sum())
        wrong, sound = ({name: column[which] for name, column in ticks.items()} for which in (index, is_held))
        restated = zip(*(ticks[name][~is_seen].tolist() for name in ("book_id", "import_id")), strict=True)
        return CheckedBatch(events, due, wrong, [verdict_by_tick[i] for i in index.tolist()], sound, {*restated})

    def _hold_out(
        self,
        checked: CheckedSeason,
        failed: Iterable[CheckFailure],
        results: checks.CheckAccumulator,
        rechecked: OpenFindings,
    ) -> bool:
        """Hold out what failed; whether any of it was new."""
        failed = list(failed)
        if back := [
            f.id for f in rechecked.values() if f.is_whole and f.import_id in {s.group.import_id for s in failed}
        ]:
            for number in back:
                del rechecked[number]
            held_out.update_held_out_polls(self.conn, rechecked)
            return True
        imports = {s.group.import_id for s in failed}
        checked_books = {import_id: results.checked_books(import_id) for import_id in imports}
        suspected = findings.load_suspected_books(self.conn, checked.sport_id, checked.season, rechecked)
        return (
            sum(
                self._record_finding(draft, rechecked)
                for draft in draft_findings(checked, failed, checked_books, suspected, self.book_keys)
            )
            > 0
        )

    def _record_finding(self, draft: FindingDraft, rechecked: OpenFindings | None = None) -> bool:
        """Store a finding; whether it holds out anything that was not held out before."""
        number, is_new = findings.record_finding(self.conn, *draft[:4], blocks=draft.blocks, without=rechecked or ())
        if is_new:
            self.new_findings.add(number)
        is_back = rechecked.pop(number, None) is not None if rechecked else False
        return (is_new or is_back) and not draft.blocks

    def _collect_bets(self, events: Sequence[int], scores: check_queries.Columns) -> BlindBets:
        """The bets after quarantine: nobody bets at a quarantined price."""
        bets = BlindBets()
        sport_keys = {row.id: row.key for row in load_sports(self.conn).values()}
        with_score = np.array(events)[np.isin(events, scores["event"])].tolist()
        for batch in _batches(with_score):
            bets.add(check_queries.load_check_prices(self.conn, batch, MARKET_IDS), scores, sport_keys, self.book_keys)
        return bets

    def _check_sports(self, bets: Mapping[int, BlindBets], scores: check_queries.Columns) -> None:
        rest = sorted(set(scores["event"].tolist()) - set(self.checked_events))
        season_of = store.load_seasons(self.conn, rest)
        for sport in sorted({*bets, *(sport for sport, _ in season_of.values())}):
            sport_bets = self._collect_bets([event for event in rest if season_of[event][0] == sport], scores)
            sport_bets.merge(bets.get(sport, BlindBets()))
            checked = CheckedSeason(sport, None, None)
            for draft in draft_findings(checked, sport_bets.merge_imports().find_failures(), {}, {}, self.book_keys):
                self._record_finding(draft)


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + BATCH_EVENTS] for start in range(0, len(items), BATCH_EVENTS))
