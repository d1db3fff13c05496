"""Settlement of bets by their book's rules: settled, void, or open and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from ml.quotes import Market, Outcome
from ml.settlement.rules import Abandoned, Period, Tie
from ml.settlement.scores import GameReport, GameStatus
from ml.settlement.shares import StakeShares, settle_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ml.settlement.rules import Rules
    from ml.settlement.scores import Score

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.integer]

MIN_POSTPONEMENT_LIMIT_HOURS = 12.0
"""Hours by which a start may move where the rule is unknown: the shortest limit found at any book."""
UNKNOWN_TERM = 0
"""In place of a term's number; enum values begin at 1."""
GAME_STATUSES = (None, *GameStatus)
"""How a game ended; None where nothing is known."""


class BetStatus(IntEnum):
    """The status of a bet; only the first two, with the lowest numbers, are final."""

    SETTLED = auto()
    VOID = auto()
    PENDING = auto()
    """No result yet, or one that may still come."""
    NO_SCORE = auto()
    """The game is over, but the score that counts under the rules is unknown."""
    UNKNOWN_RULES = auto()
    """It depends on an unknown rule of the book."""
    CONTRADICTED = auto()
    """The sources state different results, and no person has decided."""
    UNSUPPORTED = auto()
    """An unsupported market, or an outcome or point that does not belong to the market."""


@dataclass(frozen=True, slots=True, eq=False)
class SettledGames:
    """G games: the index of their status in `GAME_STATUSES`, scores (G, 2) home and away, NaN where unknown.

    `contradicted` (G, 2): whether sources differ on the regulation score and on the full score.
    """

    status: Numbers
    full: Array
    regulation: Array
    contradicted: Mask

    @classmethod
    def from_reports(cls, reports: Sequence[GameReport | None], contradicted: Mask) -> Self:
        """Build from a report per game, None where nothing is known. `contradicted` is (G, 2)."""
        known = [report or _NO_REPORT for report in reports]
        status = np.array([GAME_STATUSES.index(report and report.status) for report in reports], np.int8)
        return cls(
            status, _score_array([k.full for k in known]), _score_array([k.regulation for k in known]), contradicted
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """N bets: numbers of their game and rules, market, outcome, point (NaN where there is none).

    `delay_hours` are the hours from the start listed when the bet was placed to the actual start, or to now if the game
    is not over.
    """

    game: Numbers
    rules: Numbers
    market: Numbers
    outcome: Numbers
    point: Array
    delay_hours: Array


class Settlement(NamedTuple):
    """Shares of the stakes (n,), NaN where the bet is not settled, and `BetStatus` numbers (n,)."""

    shares: StakeShares
    status: NDArray[np.int8]


def settle_bets(bets: Bets, games: SettledGames, rules: Sequence[Rules]) -> Settlement:
    """Settle each bet by its book's rules.

    If it is unknown which period a book counts, a bet is settled if both scores settle it alike. A postponed game voids
    its bets once it is later than the rules allow. Bets on an abandoned game are void, stand if the league's result
    does, or stand if further play could not have changed them (a total that is already exceeded). Whether listed
    pitchers started is not considered, because no source of results states it.
    """
    terms = _RuleTerms.from_rules(rules, bets.rules)
    shares, contradicted = _shares_on_counted_score(bets, games, terms)
    status = _bet_status(bets, games.status[bets.game], contradicted, terms, shares)
    ties = (bets.market == Market.H2H) & (shares.pushed == 1) & (status == BetStatus.SETTLED)
    status[ties & (terms.tie == UNKNOWN_TERM)] = BetStatus.UNKNOWN_RULES
    status[ties & terms.has(Period.SHOOTOUT)] = BetStatus.NO_SCORE
    return Settlement(_final_shares(status, _apply_tie_rule(shares, ties, terms)), status)


@dataclass(frozen=True, slots=True, eq=False)
class _RuleTerms:
    """The rules of each bet as enum values (n,); `UNKNOWN_TERM` or NaN where a rule is unknown."""

    period: Numbers
    tie: Numbers
    abandoned: Numbers
    postponed: Array

    @classmethod
    def from_rules(cls, rules: Sequence[Rules], number: Numbers) -> Self:
        rows = [_enum_values(rule) for rule in rules]
        period, tie, abandoned = np.array(rows, np.int8).reshape(len(rows), 3)[number].T
        hours = np.array([rule and rule.postponed for rule in rules], float)
        return cls(period, tie, abandoned, hours[number])

    def has(self, term: Period | Tie | Abandoned) -> Mask:
        column: Numbers = getattr(self, type(term).__name__.lower())
        return np.asarray(column == term.value, np.bool_)


def _enum_values(rule: Rules) -> list[int]:
    terms = (rule.period, rule.tie, rule.abandoned) if rule else (None, None, None)
    return [UNKNOWN_TERM if term is None else term.value for term in terms]


def _shares_on_counted_score(bets: Bets, games: SettledGames, terms: _RuleTerms) -> tuple[StakeShares, Mask]:
    """Shares of each stake on the score of the period that counts, and whether sources contradict each other on it.

    If the period is unknown: the shares on both scores, NaN where they differ or one is unknown.
    """
    ends = games.regulation[bets.game], games.full[bets.game]
    regulation, full = (settle_scores(bets.market, bets.outcome, bets.point, *end.T) for end in ends)
    alike = np.all([a == b for a, b in zip(regulation, full, strict=True)], axis=0)
    cases = [terms.has(Period.REGULATION), (terms.period == UNKNOWN_TERM) & ~alike]
    nothing = np.full(len(alike), np.nan)
    shares = StakeShares(*(np.select(cases, [a, nothing], b) for a, b in zip(regulation, full, strict=True)))
    doubted = games.contradicted[bets.game]
    return shares, np.select(
        [cases[0], terms.period == UNKNOWN_TERM], [doubted[:, 0], doubted.any(axis=1)], doubted[:, 1]
    )


def _bet_status(
    bets: Bets, status: Numbers, contradicted: Mask, terms: _RuleTerms, shares: StakeShares
) -> NDArray[np.int8]:
    shortened = _has_status(status, GameStatus.SHORTENED)
    cut = shortened | _has_status(status, GameStatus.ABANDONED)
    if_decided = terms.has(Abandoned.STANDS_IF_DECIDED)
    cases = [
        (~_is_supported(bets), BetStatus.UNSUPPORTED),
        (contradicted, BetStatus.CONTRADICTED),
        (status == GAME_STATUSES.index(None), BetStatus.PENDING),
        ((terms.period == UNKNOWN_TERM) & np.isnan(shares.won), BetStatus.UNKNOWN_RULES),
        (_has_status(status, GameStatus.NOT_PLAYED), BetStatus.VOID),
        (cut & (terms.abandoned == UNKNOWN_TERM), BetStatus.UNKNOWN_RULES),
        (cut & terms.has(Abandoned.VOID), BetStatus.VOID),
        (cut & if_decided & _is_decided(bets, shares), BetStatus.SETTLED),
        (bets.delay_hours > terms.postponed, BetStatus.VOID),
        (np.isnan(terms.postponed) & (bets.delay_hours > MIN_POSTPONEMENT_LIMIT_HOURS), BetStatus.UNKNOWN_RULES),
        (shortened & if_decided, BetStatus.VOID),
        (~shortened & ~_has_status(status, GameStatus.FINAL), BetStatus.PENDING),
        (np.isnan(shares.won), BetStatus.NO_SCORE),
    ]
    conditions, verdicts = zip(*cases, strict=True)
    return np.asarray(np.select(conditions, verdicts, BetStatus.SETTLED), np.int8)


def _is_supported(bets: Bets) -> Mask:
    """Whether a bet could be settled on some score."""
    nil = np.zeros(len(bets.game))
    return ~np.isnan(settle_scores(bets.market, bets.outcome, bets.point, nil, nil).won)


def _is_decided(bets: Bets, shares: StakeShares) -> Mask:
    """Whether further play cannot change the bet: an exceeded total."""
    over = np.where(bets.outcome == Outcome.OVER, shares.won, shares.lost)
    return np.asarray((over == 1) & (bets.market == Market.TOTALS), np.bool_)


def _apply_tie_rule(shares: StakeShares, ties: Mask, terms: _RuleTerms) -> StakeShares:
    """Apply the tie rule to two-way bets on ties."""
    lost = np.select([ties & terms.has(Tie.LOSES), ties & terms.has(Tie.DEAD_HEAT)], [1.0, 0.5], shares.lost)
    won = np.where(ties & terms.has(Tie.DEAD_HEAT), 0.5, shares.won)
    return StakeShares(won, np.where(ties, 1 - won - lost, shares.pushed), lost)


def _final_shares(status: NDArray[np.int8], shares: StakeShares) -> StakeShares:
    """The shares of settled bets; a void stake is returned."""
    void = StakeShares(*(np.full(len(status), share) for share in (0.0, 1.0, 0.0)))
    final = [status == BetStatus.SETTLED, status == BetStatus.VOID]
    return StakeShares(*(np.select(final, pair, np.nan) for pair in zip(shares, void, strict=True)))


def _has_status(status: Numbers, wanted: GameStatus) -> Mask:
    return np.asarray(status == GAME_STATUSES.index(wanted), np.bool_)


def _score_array(scores: Sequence[Score | None]) -> Array:
    return np.array([score or (np.nan, np.nan) for score in scores], float).reshape(len(scores), 2)


_NO_REPORT = GameReport(GameStatus.POSTPONED)
