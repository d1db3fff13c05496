"""Whose fault it is where sources disagree: that of whoever is outvoted or, of two, whom the results contradict.

Where nothing decides between two, both are suspected: what is held out can be let in, and a bet cannot be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.agreement import by_half, compare, orders_of, take
from edge_assets.quality.outcomes import log_ratio
from edge_assets.quality.suspicions import ENOUGH, EVERY, EXAMPLES, Group, Suspicion, is_clearly_above
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.agreement import Key, Rows
    from edge_assets.quality.boards import Array, Flags
    from edge_assets.quality.outcomes import Winners

MOST_OPPOSED = 0.025
"""Share of a source's events. In real seasons it is 0.1%, of the worst book in the worst of them some 5% of 190."""
NEARLY_WORST = 0.75
"""Where one of three is wrong, the middle of it and another is half wrong, and with it every right one half opposed."""
DECIDES = np.log(1_000)
"""Of two of whom one is known to be wrong: a likelihood ratio."""
PROVES = np.log(1_000_000)
"""Without any other evidence."""
CLEAR_LEAD = 0.5
"""Log of the moneyline prices' ratio from which on it is clear who is the favourite."""
LEAST_HANDICAP = 0.5
EVEN = 0.7
"""Log of the handicap prices' ratio below which the line is about the main one: only far from it may a favourite get
a start."""
MOST_WRONG_SIGNS = 0.05


@dataclass(frozen=True, slots=True)
class Opposed:
    """A source whose prices are in another order than the others', in these rows; its `share` of the events `told`."""

    key: Key
    rows: Rows
    told: int
    share: float

    def suspicion(self, why: str) -> Suspicion:
        """With examples, and why it is this one."""
        examples: list[dict[str, Any]] = [
            {"event_id": event, "reason": why} for event in np.unique(self.rows.event)[:EXAMPLES].tolist()
        ]
        return Suspicion("orientation", _group(self.key), self.told, self.share, examples)


def of_orders(rows: Mapping[Key, Rows], winners: Winners) -> list[Suspicion]:
    """The sources whose outcomes are exchanged, wholly or in part of their rows."""
    outvoted = [found for key, some in rows.items() if (found := _opposed(key, some, some.others > 1))]
    worst = {key: found.share for found in sorted(outvoted, key=lambda o: o.share) for key in [found.key[:2]]}
    suspected = [
        found.suspicion("its prices are in another order than those of the others")
        for found in outvoted
        if found.share >= NEARLY_WORST * worst[found.key[:2]]
    ]
    pairs = [found for key, some in rows.items() if (found := _opposed(key, some, some.others == 1))]
    return suspected or [s for found in pairs if (s := _of_two(found, winners))]


def of_results(rows: Mapping[Key, Rows], winners: Winners) -> Iterator[Suspicion]:
    """The sources whose prices in another order make results likelier, beyond chance; all may be exchanged alike."""
    last = {key: take(some, _last_of_events(some)) for key, some in rows.items()}
    for key, won in _won(last, winners).items():
        own = last[key].own
        ratios = [log_ratio(won, own[:, order], own).sum() for order in orders_of(last[key])[1:]]
        if (found := max(ratios)) > PROVES + np.log(len(ratios)):
            why = f"in another order its prices make the results {np.exp(min(found, 700)):.3g} times as likely"
            yield Suspicion("results_order", _group(key), int((won >= 0).sum()), 1.0, [{"reason": why}])


def _won(rows: Mapping[Key, Rows], winners: Winners) -> dict[Key, NDArray[np.intp]]:
    """What has won, row by row; each line is settled once, whoever has prices on it."""
    found: dict[Key, NDArray[np.intp]] = {}
    for market in sorted({key.market for key in rows}):
        keys = [key for key in rows if key.market == market]
        places = np.concatenate([np.stack([rows[key].event, rows[key].line]) for key in keys], axis=1)
        (event, line), place = np.unique(places, axis=1, return_inverse=True)
        won = winners.of(market, event.astype(np.int32), line)[place.ravel()]
        ends = np.cumsum([len(rows[key].event) for key in keys])[:-1]
        found |= dict(zip(keys, np.split(won, ends), strict=True))
    return found


def of_lines(rows: Mapping[Key, Rows]) -> list[Suspicion]:
    """The sources that give the favourite a start: if most do, the market's lines have the wrong sign."""
    counts = wrong_signs(rows)
    failed = {key: (n, k) for key, (n, k) in counts.items() if is_clearly_above(MOST_WRONG_SIGNS, n, k)}
    found = []
    for import_id in sorted({key.import_id for key in failed}):
        of_import = {key: n_k for key, n_k in failed.items() if key.import_id == import_id}
        looked_at = [key for key, (n, _) in counts.items() if key.import_id == import_id and n >= ENOUGH]
        if 2 * len(of_import) > len(looked_at):
            n, wrong = (sum(column) for column in zip(*of_import.values(), strict=True))
            found.append(Suspicion("line_sign", Group(EVERY, Market.SPREADS, import_id), n, wrong / n, []))
        else:
            found += [Suspicion("line_sign", _group(key), n, k / n, []) for key, (n, k) in of_import.items()]
    return found


def wrong_signs(rows: Mapping[Key, Rows]) -> dict[Key, tuple[int, int]]:
    """Of each source of handicaps, how many events have a clear favourite, and in how many that gets a start."""
    leads = _leads(rows)
    return {key: _wrong_signs(some, *leads) for key, some in rows.items() if key.market == Market.SPREADS}


def _opposed(key: Key, rows: Rows, which: Flags) -> Opposed | None:
    if which.sum() < ENOUGH:
        return None
    rows = take(rows, which)
    found = compare(rows)
    if not is_clearly_above(MOST_OPPOSED, found.told, found.opposed):
        return None
    return Opposed(key, take(rows, found.rows), found.told, found.share)


def _of_two(found: Opposed, winners: Winners) -> Suspicion | None:
    """None if the results contradict the other."""
    disputed = take(found.rows, _last_of_events(found.rows))
    won = winners.of(found.key.market, disputed.event, disputed.line)
    ratio = float(log_ratio(won, disputed.usual, disputed.own).sum())
    if ratio < -DECIDES:
        return None
    if ratio > DECIDES:
        return found.suspicion(f"the results are {np.exp(min(ratio, 700)):.3g} times as likely by the other's prices")
    return found.suspicion("it and the only other are in another order, and nothing decides which of them is right")


def _last_of_events(rows: Rows) -> NDArray[np.intp]:
    """One row of each event: rows of one event tell the same result."""
    _, last = np.unique(rows.event[::-1], return_index=True)
    return len(rows.event) - 1 - last


def _leads(rows: Mapping[Key, Rows]) -> tuple[Array, Array]:
    """Events, sorted, and by how much the home team is the favourite by the middle of all moneylines."""
    some = [r for key, r in rows.items() if key.market in (Market.H2H, Market.H2H_3_WAY)]
    if not some:
        return np.empty(0), np.empty(0)
    event = np.concatenate([r.event for r in some])
    lead = np.concatenate([r.own[:, 1] - r.own[:, 0] for r in some])
    order = np.lexsort([lead, event])
    events, first, count = np.unique(event[order], return_index=True, return_counts=True)
    return events, lead[order][first + count // 2]


def _wrong_signs(rows: Rows, events: Array, leads: Array) -> tuple[int, int]:
    """How many events have a clear favourite and a main line, and in how many the favourite gets a start."""
    known = np.isin(rows.event, events)
    lead = np.zeros(len(known))
    lead[known] = leads[np.searchsorted(events, rows.event[known])]
    is_main = np.abs(rows.own[:, 1] - rows.own[:, 0]) < EVEN
    looked_at = known & is_main & (np.abs(lead) > CLEAR_LEAD) & (np.abs(rows.line) >= LEAST_HANDICAP)
    n, wrong = by_half(rows.event[looked_at], (rows.line * lead > 0)[looked_at])
    return n, len(wrong)


def _group(key: Key) -> Group:
    return Group(key.source, key.market, key.import_id)
