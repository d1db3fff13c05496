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
from edge_assets.quality.boards import boards
from edge_assets.quality.judgement import judge
from edge_assets.quality.outcomes import Winners
from edge_assets.quality.reach import Place, Reached, group_of, is_of, reached, too_few
from edge_assets.quality.suspicions import ENOUGH, SEASON, is_clearly_above
from edge_assets.store import canaries as looks
from edge_assets.store import findings, holding
from edge_assets.store import quarantine as store
from edge_assets.store.board import books, sports
from edge_assets.store.findings import Scope
from edge_assets.store.quarantine import BEST
from ml.quotes import OUTCOMES_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection

    from edge_assets.quality.suspicions import Suspicion
    from edge_assets.store.findings import Finding, Suspected

    Again = dict[int, Suspected]
    """Open findings that are looked at again, by id."""

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
        findings.resolve_replaced(conn, gate.sound)
        holding.apply_decisions(conn)
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", [GATE_LOCK])
    counts = gate.counts
    is_open = findings.findings(conn)
    return GateReport(counts["events"], counts["ticks"], counts["quarantined"], gate.found, is_open)


class Judged(NamedTuple):
    """Ticks of `events`: how many were `due`, those that are `wrong` with their verdicts, and those in quarantine that
    are `sound`; and the books and imports some of whose prices a later import tells as well."""

    events: Sequence[int]
    due: int
    wrong: store.Columns
    verdicts: list[store.Verdict]
    sound: store.Columns
    told_again: set[tuple[int, int]]


@dataclass
class _Gate:
    """One pass; `names` are the books' keys."""

    conn: Connection
    names: Mapping[int, str]
    everything: bool
    counts: Counter[str] = field(default_factory=Counter)
    found: list[int] = field(default_factory=list)
    due: set[int] = field(default_factory=set)
    judged: list[int] = field(default_factory=list)
    sound: set[holding.Sound] = field(default_factory=set)

    def judge_files(self) -> None:
        """Where many rows of a file are shifted, the others are not to be trusted."""
        for import_id, file, rows, shifted in looks.rejected_rows(self.conn, checks.SHIFTED):
            if shifted > checks.MOST_SHIFTED * (rows + shifted):
                evidence = {"file": file, "rows": rows + shifted, "rejected": shifted}
                reason = f"{shifted:,} of {rows + shifted:,} rows are shifted: {checks.CHECKS['row_width']}"
                self._record(Reached(Scope(import_id=import_id), ["row_width"], reason, evidence))

    def judge_prices(self) -> None:
        """Season by season, and then each sport as a whole, because small seasons do not tell what wins."""
        self.due = {*store.events_due(self.conn, everything=self.everything)}
        seasons = store.evidence(self.conn, sorted(self.due))
        self.judged = sorted(event for events in seasons.values() for event in events)
        scores = looks.scores(self.conn, self.judged)
        bets: dict[int, BlindBets] = defaultdict(BlindBets)
        for (sport, season), events in seasons.items():
            place = Place(sport, season, looks.live_feed(self.conn, sport))
            bets[sport].merge(self._judge_season(place, events, scores))
        self._judge_sports(bets, scores)

    def judge_results(self) -> None:
        """Where sources contradict each other often, one that is alone may be wrong as well: nobody knows where."""
        for sport, events, contradicted in looks.contradicted_results(self.conn, self.judged):
            often = is_clearly_above(checks.MOST_CONTRADICTED, events, contradicted)
            if often and not findings.is_accepted(self.conn, Scope(sport), ["results"]):
                reason = f"the results of {contradicted:,} of {events:,} events are contradicted"
                evidence = {"events": events, "contradicted": contradicted}
                self._record(Reached(Scope(sport), ["results"], reason, evidence, blocks=True))

    def _judge_season(self, place: Place, events: Sequence[int], scores: looks.Columns) -> BlindBets:
        """Judge until nothing more fails; return the bets of what is left.

        What is open is looked at again beside what came since, so that it does not matter in which pieces prices came.
        All of it happens at once: nobody sees what is held out while it is looked at.
        """
        known = findings.of_season(self.conn, place.sport_id, place.season or 0, events)
        again = {f.id: f for f in known if f.state == "open" and f.import_id and "row_width" not in f.checks}
        with self.conn.transaction() if again else nullcontext():
            if again:
                holding.hold(self.conn, again)
            while True:
                survey = checks.Survey()
                judged = [self._judge(some, survey) for some in _pieces(events)]
                bets = self._judge_together(place, survey, judged, again, scores)
                if bets is not None:
                    self.counts.update(events=len(self.due.intersection(events)), ticks=sum(j.due for j in judged))
                    return bets

    def _judge_together(
        self, place: Place, survey: checks.Survey, judged: Sequence[Judged], again: Again, scores: looks.Columns
    ) -> BlindBets | None:
        """The bets of what is left, after single prices were taken out; None if something more was held out."""
        winners = Winners(scores, {row.id: row.key for row in sports(self.conn).values()})
        failed = survey.failing(winners)
        if self._hold(place, failed, survey, again):
            return None
        self.counts["quarantined"] += sum(store.quarantine(self.conn, j.wrong, j.verdicts) for j in judged)
        for some in judged:
            store.free(self.conn, some.sound)
        events = [event for some in judged for event in some.events]
        bets = self._bets(events, scores)
        failed = [*bets.suspicions()] or survey.contradicted(winners)
        if not failed and survey.season is not survey:
            whole = [*bets.together(SEASON).suspicions()] or survey.season.contradicted(winners)
            failed = [*survey.spread(whole)]
        if self._hold(place, failed, survey, again) or self._settle(place, survey, judged, again):
            return None
        self.sound |= {
            holding.Sound(place.sport_id, place.season or 0, book, market)
            for seller, market in {(g.book, g.market) for g in survey.groups}
            if survey.season.events(seller, market) >= ENOUGH
            for book in (seller, BEST - 1)  # averages are what the others are
        }
        return bets

    def _settle(self, place: Place, survey: checks.Survey, judged: Sequence[Judged], again: Again) -> bool:
        """Decide on what is not found again, and hold out what is too little to be judged; whether that is anything.

        Of a book on which there is a finding nothing comes in because nobody could judge it.
        """
        events = [event for some in judged for event in some.events]
        told_again = {pair for some in judged for pair in some.told_again}
        known = findings.of_season(self.conn, place.sport_id, place.season or 0, events)
        suspected = [f for f in known if f.import_id and f.id not in again]
        few = [r for f in suspected for r in self._too_few(place, survey, f)]
        if sum(self._record(r, again) for r in few):
            return True
        for finding in list(again.values()):
            group = group_of(finding)
            if group is None or group not in survey.groups or (group.book, group.import_id) in told_again:
                continue
            n = survey.season.events(group.book, group.market)
            if n >= ENOUGH and survey.is_sound(group):
                reason = f"judged with all {n} events of the season that are known, and sound"
                findings.release_sound(self.conn, finding.id, reason)
                del again[finding.id]
        if again:
            again.clear()
            holding.hold(self.conn)
            return True
        return False

    def _too_few(self, place: Place, survey: checks.Survey, finding: findings.Suspected) -> Iterator[Reached]:
        for group in sorted(survey.groups):
            n = survey.season.events(group.book, group.market)
            if group.import_id and n < ENOUGH and is_of(finding, group):
                yield too_few(place, group, n, finding)

    def _judge(self, events: Sequence[int], survey: checks.Survey) -> Judged:
        ticks = store.ticks_of(self.conn, events, MARKETS)
        found: dict[int, store.Verdict] = {}
        is_seen = np.zeros(len(ticks["due"]), np.bool_)
        for board in boards(ticks):
            verdicts = judge(board)
            survey.add(board, ticks, verdicts)
            found |= verdicts
            is_seen[board.tick[board.tick >= 0]] = True
        index = np.array(sorted(found), np.intp)
        is_held = (ticks["held"] > 0) & (ticks["due"] > 0)
        is_held[index] = False
        is_held &= is_seen
        due = int(((ticks["due"] > 0) & (self.everything | (ticks["new"] > 0))).sum())
        wrong, sound = ({name: column[which] for name, column in ticks.items()} for which in (index, is_held))
        told_again = zip(*(ticks[name][~is_seen].tolist() for name in ("book_id", "import_id")), strict=True)
        return Judged(events, due, wrong, [found[i] for i in index.tolist()], sound, {*told_again})

    def _hold(self, place: Place, failed: Iterable[Suspicion], survey: checks.Survey, again: Again) -> bool:
        """Hold out what failed; whether that was anything new."""
        failed = list(failed)
        if back := [f.id for f in again.values() if f.is_whole and f.import_id in {s.group.import_id for s in failed}]:
            for number in back:
                del again[number]
            holding.hold(self.conn, again)
            return True
        imports = {s.group.import_id for s in failed}
        known = {import_id: survey.books(import_id) for import_id in imports}
        suspected = findings.suspected_books(self.conn, place.sport_id, place.season, again)
        return sum(self._record(r, again) for r in reached(place, failed, known, suspected, self.names)) > 0

    def _record(self, what: Reached, again: Again | None = None) -> bool:
        """Store a finding; whether something is held out by it that was not."""
        number, is_new = findings.record(self.conn, *what[:4], blocks=what.blocks, without=again or ())
        if is_new:
            self.found.append(number)
        is_back = again.pop(number, None) is not None if again else False
        return (is_new or is_back) and not what.blocks

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
