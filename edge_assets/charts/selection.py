"""Selects which of an event's many prices a chart shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.quotes import MARKET_OUTCOMES, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from edge_assets.store.analytics.line_history import ChartedEvent, Selection

RESULT_MARKETS = {Market.H2H, Market.H2H_3_WAY}
"""Shown by default."""


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """What to chart; unset fields default to the match result, home or over, and the point that most books quote.

    `fair`: fair probabilities (each book's own line, power de-vig) instead of prices; `in_play`: also prices after the
    start.
    """

    market: str | None = None
    outcome: str | None = None
    point: float | None = None
    books: tuple[str, ...] = ()
    since: datetime | None = None
    fair: bool = False
    in_play: bool = False


class NothingToShowError(LookupError):
    """No price matches the request; `remedy` states which would."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def select_selection(offered: Sequence[Selection], event: ChartedEvent, request: ChartRequest) -> Selection:
    """The selection that the request means.

    Raises `NothingToShowError` with what is on offer.
    """
    if not offered:
        when = "is stored" if request.in_play else "before its start is stored"
        msg = f"no price of {event_title(event)} {when}"
        raise NothingToShowError(msg, "import or poll it first" + ("" if request.in_play else "; try --in-play"))
    candidates = _with_value(offered, "market", request.market, lambda s: s.market)
    market = max(candidates, key=lambda s: (s.market_id in RESULT_MARKETS, s.books, s.ticks)).market_id
    candidates = _matching(
        [s for s in candidates if s.market_id == market],
        "outcome",
        request.outcome,
        lambda s: selection_label(event, s, with_point=False),
        lambda s: request.outcome is None or _matches_words(event, s, request.outcome),
    )
    outcome = min(s.outcome_id for s in candidates)
    candidates = [s for s in candidates if s.outcome_id == outcome]
    candidates = _with_value(candidates, "point", request.point, lambda s: s.point)
    return max(candidates, key=lambda s: (s.books, s.ticks))


def line_outcomes(selection: Selection) -> list[tuple[int, float]]:
    """The outcomes of a selection's line, its own included, with their points (NaN if there is none).

    Raises `NothingToShowError` if the market's complete set of outcomes is not known.
    """
    if selection.market_id not in set(MARKET_OUTCOMES):
        msg = f"the market {selection.market} has no fair probabilities"
        raise NothingToShowError(
            msg, f"leave out --fair, or choose --market {_join_distinct(m.key for m in MARKET_OUTCOMES)}"
        )
    market = Market(selection.market_id)
    return [(int(outcome), _outcome_point(selection, market, outcome)) for outcome in MARKET_OUTCOMES[market]]


def event_title(event: ChartedEvent) -> str:
    """The event's title."""
    return " v ".join(team for team in (event.home_team, event.away_team) if team) or f"event {event.id}"


def selection_label(event: ChartedEvent, selection: Selection, *, with_point: bool = True) -> str:
    """A selection's label: `Seattle Seahawks -3.5`, `Over 44.5`."""
    teams = {Outcome.HOME: event.home_team, Outcome.AWAY: event.away_team}
    name = teams.get(Outcome(selection.outcome_id)) if selection.outcome_id in teams else None
    words = [selection.description, name or selection.outcome.capitalize()]
    if with_point and selection.point is not None:
        signed = "+" if selection.market_id == Market.SPREADS else ""
        words.append(f"{selection.point:{signed}g}")
    return " ".join(word for word in words if word)


def _with_value(
    selections: Sequence[Selection], what: str, wanted: object, value_of: Callable[[Selection], object]
) -> Sequence[Selection]:
    return _matching(selections, what, wanted, value_of, lambda s: wanted is None or value_of(s) == wanted)


def _matching(
    selections: Sequence[Selection],
    what: str,
    wanted: object,
    value_of: Callable[[Selection], object],
    is_match: Callable[[Selection], bool],
) -> Sequence[Selection]:
    found = [s for s in selections if is_match(s)]
    if not found:
        msg = f"no price with --{what} {wanted}"
        raise NothingToShowError(msg, f"--{what} is one of {_join_distinct(value_of(s) for s in selections)}")
    return found


def _matches_words(event: ChartedEvent, selection: Selection, wanted: str) -> bool:
    """Whether every word is in the selection's name: `home`, `seahawks`, `LeBron over`."""
    text = f"{selection.outcome} {selection_label(event, selection, with_point=False)}".casefold()
    return all(word in text for word in wanted.casefold().split())


def _outcome_point(selection: Selection, market: Market, outcome: Outcome) -> float:
    if selection.point is None:
        return float("nan")
    is_opposite = market is Market.SPREADS and outcome != selection.outcome_id
    return -selection.point if is_opposite else selection.point


def _join_distinct(values: Iterable[object]) -> str:
    distinct = dict.fromkeys(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
    return ", ".join(distinct)
