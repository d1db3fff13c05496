"""The gate before the warehouse: it judges what is new, quarantines single prices, and holds out what fails as a whole.

Everything beside what is held out goes on. Seasons are judged one by one, and what fails is taken out before the others
are judged again: a book with shifted columns makes the recorded best price look wrong as well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality import checks
from edge_assets.quality.bets import BlindBets
from edge_assets.quality.boards import boards
from edge_assets.quality.judgement import judge
from edge_assets.quality.outcomes import Winners
from edge_assets.quality.reach import Place, Reached, reached
from edge_assets.quality.suspicions import is_clearly_above
from edge_assets.store import canaries as looks
from edge_assets.store import findings, holding
from edge_assets.store import quarantine as store
from edge_assets.store.board import books, sports
from edge_assets.store.findings import Scope
from ml.quotes import OUTCOMES_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.quality.suspicions import Suspicion
    from edge_assets.store.findings import Finding

    Due = Sequence[tuple[int, datetime]]

AT_ONCE = 500
"""Events: some hundred thousand ticks, tens of megabytes as boards."""
MARKETS = [int(market) for market in OUTCOMES_OF]
GATE_LOCK = 0x0ED71
"""One pass at a time."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """Ticks that were judged and quarantined now, the findings made now, and all that are open."""

    events: int
    ticks: int
    quarantined: int
    found: list[int]
    findings: list[Finding]


def pass_gate(conn: Connection, *, everything: bool = False) -> GateReport:
    """Judge the ticks that the warehouse has not taken in yet, or `everything`."""
    conn.execute("SELECT pg_advisory_lock(%s)", [GATE_LOCK])
    try:
        holding.apply_decisions(conn)
        gate = _Gate(conn, {book.id: book.key for book in books(conn).values()}, everything)
        gate.judge_files()
        gate.judge_prices()
        gate.judge_results()
        findings.resolve_replaced(conn)
        holding.apply_decisions(conn)
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [GATE_LOCK])
    counts = gate.counts
    is_open = findings.findings(conn)
    return GateReport(counts["events"], counts["ticks"], counts["quarantined"], gate.found, is_open)


@dataclass
class _Gate:
    """One pass; `names` are the books' keys."""

    conn: Connection
    names: Mapping[int, str]
    everything: bool
    counts: Counter[str] = field(default_factory=Counter)
    found: list[int] = field(default_factory=list)
    judged: list[int] = field(default_factory=list)

    def judge_files(self) -> None:
        """Where many rows of a file are shifted, the others are not to be trusted."""
        for import_id, file, rows, shifted in looks.rejected_rows(self.conn, checks.SHIFTED):
            if shifted > checks.MOST_SHIFTED * (rows + shifted):
                evidence = {"file": file, "rows": rows + shifted, "rejected": shifted}
                reason = f"{shifted:,} of {rows + shifted:,} rows are shifted: {checks.CHECKS['row_width']}"
                self._record(Reached(Scope(import_id=import_id), ["row_width"], reason, evidence))

    def judge_prices(self) -> None:
        """Season by season, and then each sport as a whole, because small seasons do not tell what wins."""
        due = store.events_due(self.conn, everything=self.everything)
        self.judged = [event for event, _ in due]
        where = store.seasons(self.conn, self.judged)
        seasons: dict[tuple[int, int], list[tuple[int, datetime]]] = defaultdict(list)
        for event, since in due:
            seasons[where[event]].append((event, since))
        scores = looks.scores(self.conn, self.judged)
        bets: dict[int, BlindBets] = defaultdict(BlindBets)
        for (sport, season), events in sorted(seasons.items()):
            bets[sport].merge(
                self._judge_season(Place(sport, season, looks.live_feed(self.conn, sport)), events, scores)
            )
        self._judge_sports(bets, scores)

    def judge_results(self) -> None:
        """Where sources contradict each other often, one that is alone may be wrong as well: nobody knows where."""
        for sport, events, contradicted in looks.contradicted_results(self.conn, self.judged):
            often = is_clearly_above(checks.MOST_CONTRADICTED, events, contradicted)
            if often and not findings.is_accepted(self.conn, Scope(sport), ["results"]):
                reason = f"the results of {contradicted:,} of {events:,} events are contradicted"
                evidence = {"events": events, "contradicted": contradicted}
                self._record(Reached(Scope(sport), ["results"], reason, evidence, blocks=True))

    def _judge_season(self, place: Place, due: Due, scores: looks.Columns) -> BlindBets:
        """Judge until nothing more fails; return the bets of what is left."""
        winners = Winners(scores, {row.id: row.key for row in sports(self.conn).values()})
        while True:
            survey, quarantined, ticks = checks.Survey(), [], 0
            for some in _pieces(due):
                judged, wrong, verdicts = self._judge(some, survey)
                ticks += judged
                quarantined.append((wrong, verdicts))
            if self._hold(place, survey.suspicions(winners), survey):
                continue
            new = sum(store.quarantine(self.conn, wrong, verdicts) for wrong, verdicts in quarantined)
            bets = self._bets([event for event, _ in due], scores)
            self.counts["quarantined"] += new
            failed = [*bets.suspicions()] or survey.contradicted(winners)
            if not self._hold(place, failed, survey):
                self.counts.update(events=len(due), ticks=ticks)
                return bets

    def _judge(self, due: Due, survey: checks.Survey) -> tuple[int, store.Columns, list[store.Verdict]]:
        ticks = store.ticks_of(self.conn, due, MARKETS, everything=self.everything)
        found: dict[int, store.Verdict] = {}
        for board in boards(ticks):
            verdicts = judge(board)
            survey.add(board, ticks, verdicts)
            found |= verdicts
        index = np.array(sorted(found), np.intp)
        wrong = {name: column[index] for name, column in ticks.items()}
        return int(ticks["due"].sum()), wrong, [found[i] for i in index.tolist()]

    def _hold(self, place: Place, failed: Iterable[Suspicion], survey: checks.Survey) -> bool:
        """Hold out what failed; whether that was anything new."""
        failed = list(failed)
        imports = {s.group.import_id for s in failed}
        known = {import_id: survey.books(import_id) for import_id in imports}
        suspected = findings.suspected_books(self.conn, place.sport_id, place.season)
        return sum(self._record(r) for r in reached(place, failed, known, suspected, self.names)) > 0

    def _record(self, what: Reached) -> bool:
        """Store a finding; whether something is held out by it that was not."""
        number, is_new = findings.record(self.conn, *what[:4], blocks=what.blocks)
        if is_new:
            self.found.append(number)
        return is_new and not what.blocks

    def _bets(self, events: Sequence[int], scores: looks.Columns) -> BlindBets:
        """After quarantine: what it took out is nothing that anybody bets at."""
        bets = BlindBets()
        sport_keys = {row.id: row.key for row in sports(self.conn).values()}
        with_score = np.array(events)[np.isin(events, scores["event"])].tolist()
        for some in _pieces(with_score):
            bets.add(looks.bets(self.conn, some, MARKETS), scores, sport_keys, self.names)
        return bets

    def _judge_sports(self, bets: Mapping[int, BlindBets], scores: looks.Columns) -> None:
        rest = sorted(set(scores["event"].tolist()) - set(self.judged))
        where = store.seasons(self.conn, rest)
        for sport in sorted({*bets, *(sport for sport, _ in where.values())}):
            whole = self._bets([event for event in rest if where[event][0] == sport], scores)
            whole.merge(bets.get(sport, BlindBets()))
            place = Place(sport, None, None)
            for what in reached(place, whole.together().suspicions(), {}, {}, self.names):
                self._record(what)


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
