"""Which source is wrong where sources disagree: the outvoted one or, of two, the one that the results contradict.

If nothing decides between two, both are held out: held-out prices can be released, but a bet cannot be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.agreement import compare_orders, events_mostly_wrong, outcome_orders, take_rows
from edge_assets.quality.check_failures import (
    ALL_BOOKS_ID,
    MAX_EXAMPLES,
    MIN_SAMPLE,
    CheckFailure,
    PriceGroup,
    is_significantly_above,
)
from edge_assets.quality.winners import log_likelihood_ratio
from edge_assets.quality.wrong_windows import WINDOW_KINDS, find_odd_draws, find_wrong_window
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.agreement import SourceKey, SourceRows
    from edge_assets.quality.market_matrix import Array, Flags
    from edge_assets.quality.winners import Winners
    from edge_assets.quality.wrong_windows import WrongWindow

MAX_OPPOSED_RATIO = 0.025
"""Share of a source's events. It is 0.1% in real seasons, and about 5% of 190 for the worst book in the worst one."""
NEAR_WORST_RATIO = 0.75
"""If one of three sources is wrong, each of the others is compared with a median that is half wrong, and
seems half opposed itself."""
DECISIVE_LOG_RATIO = np.log(1_000)
"""Likelihood ratio for two sources of which one is known to be wrong."""
CONCLUSIVE_LOG_RATIO = np.log(1_000_000)
"""Likelihood ratio without any other evidence."""
MIN_FAVOURITE_LOG_RATIO = 0.5
"""Log ratio of the moneyline prices above which the favourite is clear."""
MIN_HANDICAP = 0.5
MAX_MAIN_LINE_LOG_RATIO = 0.7
"""Log ratio of the handicap prices below which a line is near the main one: only far from that may a favourite have
a positive handicap."""
MAX_WRONG_SIGN_RATIO = 0.05


@dataclass(frozen=True, slots=True)
class OpposedSource:
    """A source whose prices are in a different order from the others' in these rows: `opposed_ratio` of its
    `decisive_events`.
    """

    key: SourceKey
    rows: SourceRows
    decisive_events: int
    opposed_ratio: float
    check: str = "orientation"

    def to_failure(self, reason: str) -> CheckFailure:
        """The failure with examples, and why this source is the wrong one."""
        examples: list[dict[str, Any]] = [
            {"event_id": event, "reason": reason} for event in np.unique(self.rows.event)[:MAX_EXAMPLES].tolist()
        ]
        return CheckFailure(self.check, _price_group(self.key), self.decisive_events, self.opposed_ratio, examples)


def find_swapped_sources(rows: Mapping[SourceKey, SourceRows], winners: Winners) -> list[CheckFailure]:
    """The sources whose outcomes are swapped, in all or some of their rows."""
    outvoted = [
        opposed
        for key, source_rows in rows.items()
        if (opposed := _find_opposed(key, source_rows, source_rows.other_count > 1))
    ]
    worst_ratio = {
        key: found.opposed_ratio for found in sorted(outvoted, key=lambda o: o.opposed_ratio) for key in [found.key[:2]]
    }
    failures = [
        found.to_failure("its outcomes are in a different order from the other sources")
        for found in outvoted
        if found.opposed_ratio >= NEAR_WORST_RATIO * worst_ratio[found.key[:2]]
    ]
    pairs = [opposed for key, some in rows.items() if (opposed := _find_opposed(key, some, some.other_count == 1))]
    return failures or [s for found in pairs if (s := _decide_between_two(found, winners))]


def find_wrong_windows(rows: Mapping[SourceKey, SourceRows], winners: Winners) -> list[CheckFailure]:
    """The sources that are wrong in some consecutive events: by others, by the results, or by their own draws."""
    outvoted = {key: found for key, some in rows.items() if (found := find_wrong_window(some, 2))}
    farthest = {key[:2]: window.apart for key, window in sorted(outvoted.items(), key=lambda item: item[1].apart)}
    failures = [
        _describe_wrong_window(key, rows[key], window)
        for key, window in outvoted.items()
        if window.apart >= NEAR_WORST_RATIO * farthest[key[:2]]
    ]
    odd = {key: found for key, some in rows.items() if (found := find_odd_draws(some))}
    failures = failures or [_describe_wrong_window(key, rows[key], window) for key, window in odd.items()]
    return failures or [s for key, some in rows.items() if (s := _find_wrong_window_of_pair(key, some, winners))]


def find_events_in_wrong_windows(rows: SourceRows) -> tuple[int, NDArray[np.int32]]:
    """The length of a source's wrong window, and its wrong events: those by which it fails, if it does."""
    for window in (find_wrong_window(rows, 2), find_odd_draws(rows), find_wrong_window(rows, 1)):
        if window:
            return window.events, np.unique(rows.event[window.rows])
    return 0, np.empty(0, np.int32)


def find_orders_against_results(rows: Mapping[SourceKey, SourceRows], winners: Winners) -> Iterator[CheckFailure]:
    """The sources whose prices, permuted, make the results significantly likelier; all sources may be swapped alike."""
    last = {key: take_rows(source_rows, _last_row_of_each_event(source_rows)) for key, source_rows in rows.items()}
    for key, won in _winning_outcomes(last, winners).items():
        log_prices = last[key].log_prices
        ratios = [
            log_likelihood_ratio(won, log_prices[:, order], log_prices).sum() for order in outcome_orders(last[key])[1:]
        ]
        if (best_ratio := max(ratios)) > CONCLUSIVE_LOG_RATIO + np.log(len(ratios)):
            why = f"reordering its prices makes the results {np.exp(min(best_ratio, 700)):.3g} times as likely"
            yield CheckFailure("results_order", _price_group(key), int((won >= 0).sum()), 1.0, [{"reason": why}])


def _winning_outcomes(rows: Mapping[SourceKey, SourceRows], winners: Winners) -> dict[SourceKey, NDArray[np.intp]]:
    """The winning outcome of each row; each line is settled once, for all sources together."""
    winning_by_source: dict[SourceKey, NDArray[np.intp]] = {}
    for market in sorted({key.market for key in rows}):
        keys = [key for key in rows if key.market == market]
        places = np.concatenate([np.stack([rows[key].event, rows[key].line]) for key in keys], axis=1)
        (event, line), place = np.unique(places, axis=1, return_inverse=True)
        won = winners.winning_outcomes(market, event.astype(np.int32), line)[place.ravel()]
        ends = np.cumsum([len(rows[key].event) for key in keys])[:-1]
        winning_by_source |= dict(zip(keys, np.split(won, ends), strict=True))
    return winning_by_source


def find_wrong_line_signs(rows: Mapping[SourceKey, SourceRows]) -> list[CheckFailure]:
    """The sources with positive handicaps for favourites: if most do, the market's lines have the wrong sign."""
    counts = count_wrong_signs(rows)
    failed = {key: (n, k) for key, (n, k) in counts.items() if is_significantly_above(MAX_WRONG_SIGN_RATIO, n, k)}
    failures = []
    for import_id in sorted({key.import_id for key in failed}):
        of_import = {key: n_k for key, n_k in failed.items() if key.import_id == import_id}
        checked = [key for key, (n, _) in counts.items() if key.import_id == import_id and n >= MIN_SAMPLE]
        if 2 * len(of_import) > len(checked):
            n, wrong = (sum(column) for column in zip(*of_import.values(), strict=True))
            failures.append(
                CheckFailure("line_sign", PriceGroup(ALL_BOOKS_ID, Market.SPREADS, import_id), n, wrong / n, [])
            )
        else:
            failures += [
                CheckFailure("line_sign", _price_group(key), n, k / n, []) for key, (n, k) in of_import.items()
            ]
    return failures


def count_wrong_signs(rows: Mapping[SourceKey, SourceRows]) -> dict[SourceKey, tuple[int, int]]:
    """For each source of handicaps: events with a clear favourite, and those where its handicap is positive."""
    leads = _favourite_leads(rows)
    return {key: _count_wrong_signs(some, *leads) for key, some in rows.items() if key.market == Market.SPREADS}


def _find_opposed(key: SourceKey, rows: SourceRows, selected: Flags) -> OpposedSource | None:
    if selected.sum() < MIN_SAMPLE:
        return None
    rows = take_rows(rows, selected)
    comparison = compare_orders(rows)
    if not is_significantly_above(MAX_OPPOSED_RATIO, comparison.decisive_events, comparison.opposed_events):
        return None
    return OpposedSource(key, take_rows(rows, comparison.rows), comparison.decisive_events, comparison.opposed_ratio)


def _find_wrong_window_of_pair(key: SourceKey, rows: SourceRows, winners: Winners) -> CheckFailure | None:
    pair = take_rows(rows, rows.other_count == 1)
    window = find_wrong_window(pair, 1)
    return _decide_between_two(_opposed_in_window(key, pair, window), winners) if window else None


def _opposed_in_window(key: SourceKey, rows: SourceRows, window: WrongWindow) -> OpposedSource:
    wrong = take_rows(rows, window.rows)
    return OpposedSource(key, wrong, window.events, window.marked / window.events, "local_agreement")


def _describe_wrong_window(key: SourceKey, rows: SourceRows, window: WrongWindow) -> CheckFailure:
    opposed = _opposed_in_window(key, rows, window)
    first, last = (np.datetime64(int(at), "us").astype("datetime64[D]") for at in _time_range(opposed.rows))
    return opposed.to_failure(f"consecutive events observed from {first} to {last} are {WINDOW_KINDS[window.kind]}")


def _time_range(rows: SourceRows) -> tuple[int, int]:
    return int(rows.observed_at.min()), int(rows.observed_at.max())


def _decide_between_two(opposed: OpposedSource, winners: Winners) -> CheckFailure | None:
    """The failure, unless the results contradict the other source."""
    disputed = take_rows(opposed.rows, _last_row_of_each_event(opposed.rows))
    won = winners.winning_outcomes(opposed.key.market, disputed.event, disputed.line)
    ratio = float(log_likelihood_ratio(won, disputed.others_median, disputed.log_prices).sum())
    if ratio < -DECISIVE_LOG_RATIO:
        return None
    if ratio > DECISIVE_LOG_RATIO:
        return opposed.to_failure(
            f"the results are {np.exp(min(ratio, 700)):.3g} times as likely by the other's prices"
        )
    return opposed.to_failure(
        "it and the only other source disagree on the order, and results do not decide which is right"
    )


def _last_row_of_each_event(rows: SourceRows) -> NDArray[np.intp]:
    """One row of each event: all its rows have the same result."""
    _, last = np.unique(rows.event[::-1], return_index=True)
    return len(rows.event) - 1 - last


def _favourite_leads(rows: Mapping[SourceKey, SourceRows]) -> tuple[Array, Array]:
    """Events, sorted, and the home team's lead as favourite by the median of all moneylines."""
    moneylines = [r for key, r in rows.items() if key.market in (Market.H2H, Market.H2H_3_WAY)]
    if not moneylines:
        return np.empty(0), np.empty(0)
    event = np.concatenate([r.event for r in moneylines])
    lead = np.concatenate([r.log_prices[:, 1] - r.log_prices[:, 0] for r in moneylines])
    order = np.lexsort([lead, event])
    events, first, count = np.unique(event[order], return_index=True, return_counts=True)
    return events, lead[order][first + count // 2]


def _count_wrong_signs(rows: SourceRows, events: Array, leads: Array) -> tuple[int, int]:
    """How many events have a clear favourite and a main line, and in how many its handicap is positive."""
    has_lead = np.isin(rows.event, events)
    lead = np.zeros(len(has_lead))
    lead[has_lead] = leads[np.searchsorted(events, rows.event[has_lead])]
    is_main = np.abs(rows.log_prices[:, 1] - rows.log_prices[:, 0]) < MAX_MAIN_LINE_LOG_RATIO
    checked = has_lead & is_main & (np.abs(lead) > MIN_FAVOURITE_LOG_RATIO) & (np.abs(rows.line) >= MIN_HANDICAP)
    n, wrong = events_mostly_wrong(rows.event[checked], (rows.line * lead > 0)[checked])
    return n, len(wrong)


def _price_group(key: SourceKey) -> PriceGroup:
    return PriceGroup(key.source, key.market, key.import_id)
