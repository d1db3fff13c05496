"""The gate before the warehouse: it judges what is new, quarantines single prices, and holds out what fails as a whole.

Everything beside what is held out goes on. Seasons are judged one by one, by all that is known of them, whatever
import or poll it came by, and what fails is taken out before the others are judged again: a book with shifted columns
makes the recorded best price look wrong as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.quality import checks
from edge_assets.quality.bets import BlindBets
from edge_assets.quality.market_matrix import build_matrices
from edge_assets.quality.outcomes import Winners
from edge_assets.quality.price_checks import check_prices
from edge_assets.quality.reach import (
    CheckedSeason,
    FindingDraft,
    describe_too_few,
    draft_findings,
    group_of,
    is_about_group,
)
from edge_assets.quality.suspicions import MIN_SAMPLE, WHOLE_SEASON, is_significantly_above
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

    from edge_assets.quality.suspicions import CheckFailure
    from edge_assets.store.analytics.findings import Finding, Suspected

    Again = dict[int, Suspected]
    """Open findings that are looked at again, by id."""

BATCH_EVENTS = 500
"""Events: some hundred thousand ticks, tens of megabytes as boards."""
MARKET_IDS = [int(market) for market in MARKET_OUTCOMES]
GATE_LOCK_ID = 0x0ED71
"""One pass at a time."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """Ticks that were judged and quarantined now, the findings made now, and all that are open."""

    events: int
    ticks: int
    quarantined: int
    new_findings: list[int]
    open_findings: list[Finding]


def run_quality_gate(conn: Connection, *, recheck_all: bool = False) -> GateReport:
    """Judge the ticks that the warehouse has not taken in yet, or `everything`."""
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
    return GateReport(counts["events"], counts["ticks"], counts["quarantined"], gate.new_findings, open_findings)


class Judged(NamedTuple):
    """Ticks of `events`: how many were `due`, those that are `wrong` with their verdicts, and those in quarantine that
    are `sound`; and the books and imports some of whose prices a later import tells as well."""

    events: Sequence[int]
    due: int
    wrong: store.Columns
    verdicts: list[store.CheckVerdict]
    sound: store.Columns
    told_again: set[tuple[int, int]]


@dataclass
class _GateRun:
    """One pass; `book_keys` are the books' keys."""

    conn: Connection
    book_keys: Mapping[int, str]
    recheck_all: bool
    counts: Counter[str] = field(default_factory=Counter)
    new_findings: list[int] = field(default_factory=list)
    due: set[int] = field(default_factory=set)
    checked_events: list[int] = field(default_factory=list)
    sound: set[held_out.Sound] = field(default_factory=set)

    def check_files(self) -> None:
        """Where many rows of a file are shifted, the others are not to be trusted."""
        for import_id, file, rows, shifted in check_queries.load_rejected_rows(self.conn, checks.SHIFTED_ROW_REASONS):
            if shifted > checks.MAX_SHIFTED_RATIO * (rows + shifted):
                evidence = {"file": file, "rows": rows + shifted, "rejected": shifted}
                reason = f"{shifted:,} of {rows + shifted:,} rows are shifted: {checks.CHECK_DESCRIPTIONS['row_width']}"
                self._record_finding(FindingDraft(FindingScope(import_id=import_id), ["row_width"], reason, evidence))

    def check_prices(self) -> None:
        """Season by season, and then each sport as a whole, because small seasons do not tell what wins."""
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
        """Where sources contradict each other often, one that is alone may be wrong as well: nobody knows where."""
        for sport, events, contradicted in check_queries.count_contradicted_results(self.conn, self.checked_events):
            is_frequent = is_significantly_above(checks.MAX_CONTRADICTED_RATIO, events, contradicted)
            if is_frequent and not findings.is_accepted(self.conn, FindingScope(sport), ["results"]):
                reason = f"the results of {contradicted:,} of {events:,} events are contradicted"
                evidence = {"events": events, "contradicted": contradicted}
                self._record_finding(FindingDraft(FindingScope(sport), ["results"], reason, evidence, blocks=True))

    def _check_season(self, checked: CheckedSeason, events: Sequence[int], scores: check_queries.Columns) -> BlindBets:
        """Judge until nothing more fails; return the bets of what is left.

        What is open is looked at again beside what came since, so that it does not matter in which pieces prices came.
        All of it happens at once: nobody sees what is held out while it is looked at.
        """
        known = findings.load_season_findings(self.conn, checked.sport_id, checked.season or 0, events)
        again = {f.id: f for f in known if f.state == "open" and f.import_id and "row_width" not in f.checks}
        with self.conn.transaction() if again else nullcontext():
            if again:
                held_out.update_held_out_polls(self.conn, again)
            while True:
                results = checks.CheckAccumulator()
                checked_ticks = [self._check_batch(batch, results) for batch in _batches(events)]
                bets = self._judge_together(checked, results, checked_ticks, again, scores)
                if bets is not None:
                    self.counts.update(
                        events=len(self.due.intersection(events)), ticks=sum(j.due for j in checked_ticks)
                    )
                    return bets

    def _judge_together(
        self,
        place: CheckedSeason,
        survey: checks.CheckAccumulator,
        judged: Sequence[Judged],
        again: Again,
        scores: check_queries.Columns,
    ) -> BlindBets | None:
        """The bets of what is left, after single prices were taken out; None if something more was held out."""
        winners = Winners(scores, {row.id: row.key for row in load_sports(self.conn).values()})
        failed = survey.find_failures_in_season(winners)
        if self._hold_out(place, failed, survey, again):
            return None
        self.counts["quarantined"] += sum(store.quarantine_ticks(self.conn, j.wrong, j.verdicts) for j in judged)
        for some in judged:
            store.release_ticks(self.conn, some.sound)
        events = [event for some in judged for event in some.events]
        bets = self._collect_bets(events, scores)
        failed = [*bets.find_failures()] or survey.find_contradicted(winners)
        if not failed and survey.season is not survey:
            whole = [*bets.merge_imports(WHOLE_SEASON).find_failures()] or survey.season.find_contradicted(winners)
            failed = [*survey.spread_to_imports(whole)]
        if self._hold_out(place, failed, survey, again) or self._settle(place, survey, judged, again):
            return None
        self.sound |= {
            held_out.Sound(place.sport_id, place.season or 0, book, market)
            for seller, market in {(g.book, g.market) for g in survey.groups}
            if survey.season.count_compared_events(seller, market) >= MIN_SAMPLE
            for book in (seller, BEST_PRICE_BOOK - 1)  # averages are what the others are
        }
        return bets

    def _settle(
        self, place: CheckedSeason, survey: checks.CheckAccumulator, judged: Sequence[Judged], again: Again
    ) -> bool:
        """Decide on what is not found again, and hold out what is too little to be judged; whether that is anything.

        Of a book on which there is a finding nothing comes in because nobody could judge it.
        """
        events = [event for some in judged for event in some.events]
        told_again = {pair for some in judged for pair in some.told_again}
        known = findings.load_season_findings(self.conn, place.sport_id, place.season or 0, events)
        suspected = [f for f in known if f.import_id and f.id not in again]
        few = [r for f in suspected for r in self._too_few(place, survey, f)]
        if sum(self._record_finding(r, again) for r in few):
            return True
        for finding in list(again.values()):
            group = group_of(finding)
            if group is None or group not in survey.groups or (group.book, group.import_id) in told_again:
                continue
            n = survey.season.count_compared_events(group.book, group.market)
            if n >= MIN_SAMPLE and survey.is_sound(group):
                reason = f"judged with all {n} events of the season that are known, and sound"
                findings.release_sound(self.conn, finding.id, reason)
                del again[finding.id]
        if again:
            again.clear()
            held_out.update_held_out_polls(self.conn)
            return True
        return False

    def _too_few(
        self, place: CheckedSeason, survey: checks.CheckAccumulator, finding: findings.Suspected
    ) -> Iterator[FindingDraft]:
        for group in sorted(survey.groups):
            n = survey.season.count_compared_events(group.book, group.market)
            if group.import_id and n < MIN_SAMPLE and is_about_group(finding, group):
                yield describe_too_few(place, group, n, finding)

    def _check_batch(self, events: Sequence[int], results: checks.CheckAccumulator) -> Judged:
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
        told_again = zip(*(ticks[name][~is_seen].tolist() for name in ("book_id", "import_id")), strict=True)
        return Judged(events, due, wrong, [verdict_by_tick[i] for i in index.tolist()], sound, {*told_again})

    def _hold_out(
        self, checked: CheckedSeason, failed: Iterable[CheckFailure], results: checks.CheckAccumulator, again: Again
    ) -> bool:
        """Hold out what failed; whether that was anything new."""
        failed = list(failed)
        if back := [f.id for f in again.values() if f.is_whole and f.import_id in {s.group.import_id for s in failed}]:
            for number in back:
                del again[number]
            held_out.update_held_out_polls(self.conn, again)
            return True
        imports = {s.group.import_id for s in failed}
        checked_books = {import_id: results.checked_books(import_id) for import_id in imports}
        suspected = findings.load_suspected_books(self.conn, checked.sport_id, checked.season, again)
        return (
            sum(
                self._record_finding(r, again)
                for r in draft_findings(checked, failed, checked_books, suspected, self.book_keys)
            )
            > 0
        )

    def _record_finding(self, draft: FindingDraft, again: Again | None = None) -> bool:
        """Store a finding; whether something is held out by it that was not."""
        number, is_new = findings.record_finding(self.conn, *draft[:4], blocks=draft.blocks, without=again or ())
        if is_new:
            self.new_findings.append(number)
        is_back = again.pop(number, None) is not None if again else False
        return (is_new or is_back) and not draft.blocks

    def _collect_bets(self, events: Sequence[int], scores: check_queries.Columns) -> BlindBets:
        """After quarantine: what it took out is nothing that anybody bets at."""
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
