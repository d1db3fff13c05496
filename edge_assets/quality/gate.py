"""The gate before the warehouse: judges what is new, quarantines what is wrong of it, and lets the canaries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.quality import canaries
from edge_assets.quality.boards import boards
from edge_assets.quality.judgement import judge
from edge_assets.store import canaries as looks
from edge_assets.store import quarantine as store
from edge_assets.store.board import books, sports
from ml.quotes import OUTCOMES_OF

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.quality.canaries import Finding, Survey

AT_ONCE = 500
"""Events: some hundred thousand ticks, tens of megabytes as boards."""
MARKETS = [int(market) for market in OUTCOMES_OF]


@dataclass(frozen=True, slots=True)
class GateReport:
    """Ticks that were judged and quarantined now, and the canaries by name."""

    events: int
    ticks: int
    quarantined: int
    findings: list[Finding]


def pass_gate(conn: Connection, *, everything: bool = False) -> GateReport:
    """Judge the ticks that the warehouse has not taken in yet, or `everything`."""
    names = {book.id: book.key for book in books(conn).values()}
    due = store.events_due(conn, everything=everything)
    survey, judged, taken = canaries.Survey(), 0, 0
    for start in range(0, len(due), AT_ONCE):
        ticks, quarantined = _judge(conn, due[start : start + AT_ONCE], survey, everything=everything)
        judged, taken = judged + ticks, taken + quarantined
    events = [event for event, _ in due]
    scores = looks.scores(conn, events)
    found = [
        *survey.findings(names),
        _blind_bets(conn, scores).finding(names),
        canaries.row_width(looks.rejected_rows(conn, canaries.SHIFTED)),
        canaries.results(*looks.contradicted_results(conn, [*events, *scores["event"].tolist()])),
    ]
    return GateReport(len(events), judged, taken, found)


def _judge(
    conn: Connection, due: Sequence[tuple[int, datetime]], survey: Survey, *, everything: bool
) -> tuple[int, int]:
    ticks = store.ticks_of(conn, due, MARKETS, everything=everything)
    found: dict[int, store.Verdict] = {}
    for board in boards(ticks):
        verdicts = judge(board)
        survey.add(board, verdicts)
        found |= verdicts
    index = np.array(sorted(found), np.intp)
    wrong = {name: column[index] for name, column in ticks.items()}
    return int(ticks["due"].sum()), store.quarantine(conn, wrong, [found[i] for i in index.tolist()])


def _blind_bets(conn: Connection, scores: looks.Columns) -> canaries.BlindBets:
    """After quarantine: what it took out is nothing that anybody bets at."""
    known = ({row.id: row.key for row in rows.values()} for rows in (sports(conn), books(conn)))
    bets = canaries.BlindBets(scores, *known)
    events = scores["event"].tolist()
    for start in range(0, len(events), AT_ONCE):
        bets.add(looks.bets(conn, events[start : start + AT_ONCE], MARKETS))
    return bets
