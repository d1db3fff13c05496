"""Which de-vig method finds value: the table of ../shared/data/README.md, from the files themselves."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from ml.market import (
    PLAIN_METHODS,
    DevigMethod,
    add_method_uncertainty,
    devig,
    edge,
    expected_value,
    pool,
    pool_by_method,
    to_log_odds,
)
from ml.market.dissent import measure_dissent
from ml.scoring import ScoringRules
from tests.support.football_matches import OUTCOMES, Matches, prices, read_matches, read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ml.market import Pool

    Array = NDArray[np.float64]

pytestmark = pytest.mark.untraced

PUBLISHED = """
additive       0%  58,098  2.04%  +1.60%  +1.38%  59.0%
additive       2%  21,212  4.07%  +5.10%  +2.96%  66.8%
additive       5%   4,424  7.75%  +6.53%  +5.59%  72.5%
multiplicative 2%  25,079  5.11%  +2.37%  +4.05%  66.5%
power          2%  21,464  4.10%  +4.28%  +3.07%  67.1%
power          5%   4,533  7.86%  +8.52%  +5.92%  73.1%
"""
THRESHOLDS = (0.0, 0.02, 0.05)
SHOWN = [m for m in DevigMethod if m not in {DevigMethod.PROBIT, DevigMethod.EQUAL_STANDARD_ERRORS}]


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceBets:
    """One entry per match and outcome (m, 3): the profit of a stake of one, and what it was expected to be."""

    profit: Array
    expected: Array
    clv: Array
    """What it is at the fair closing price; NaN where the sharp book has no close."""

    @classmethod
    def of(cls, matches: Matches, method: DevigMethod) -> ReferenceBets:
        won = matches.result[:, None] == np.arange(len(OUTCOMES))
        fair, close = (devig(prices, method).probabilities for prices in (matches.sharp, matches.sharp_close))
        return cls(
            np.where(won, matches.best, 0) - 1, expected_value(fair, matches.best), expected_value(close, matches.best)
        )

    def line(self, method: DevigMethod, threshold: float) -> str:
        chosen = self.expected > threshold
        clv = self.clv[chosen & ~np.isnan(self.clv)]
        return (
            f"{method:<14} {threshold:.0%} {chosen.sum():>7,}  {self.expected[chosen].mean():.2%}  "
            f"{self.profit[chosen].mean():+.2%}  {clv.mean():+.2%}  {(clv > 0).mean():.1%}"
        )


@pytest.fixture(scope="module")
def matches(data_dir: Path) -> Matches:
    return read_matches(data_dir / "football_data_uk")


def test_the_published_table_to_the_digit(matches: Matches) -> None:
    table = [ReferenceBets.of(matches, method).line(method, threshold) for method in SHOWN for threshold in THRESHOLDS]
    head = f"\n{'de-vig':<14} EV >  bets  claimed  yield  CLV  beat the close"
    sys.stdout.write("\n".join([head, *table, ""]))
    assert set(PUBLISHED.strip().splitlines()) <= set(table)


def test_betting_blindly_at_the_best_price_loses(matches: Matches) -> None:
    """A check for shifted columns: no single price may win blindly."""
    assert len(matches.result) == 62_149
    priced = ~np.isnan(matches.best + matches.sharp).any(axis=1)
    assert priced.sum() == 61_817
    blind = ReferenceBets.of(matches, DevigMethod.POWER).profit[priced].mean()
    assert f"{blind:+.2%}" == "-1.28%"


def test_the_close_knows_more(matches: Matches) -> None:
    both = ~np.isnan(matches.sharp + matches.sharp_close).any(axis=1)
    assert both.sum() == 51_575
    result = matches.result[both]
    losses = [
        -np.log(devig(prices[both], DevigMethod.POWER).probabilities[np.arange(len(result)), result]).mean()
        for prices in (matches.sharp, matches.sharp_close)
    ]
    assert [f"{loss:.5f}" for loss in losses] == ["1.00332", "1.00012"]


def test_the_edge_decays(matches: Matches) -> None:
    bets = ReferenceBets.of(matches, DevigMethod.POWER)
    early = matches.date < np.datetime64("2019-07-01")
    before, after = (bets.profit[period][bets.expected[period] > 0.02].mean() for period in (early, ~early))
    assert before > 1.8 * after > 0  # twice, roughly


def test_irregular_files_are_read(tmp_path: Path) -> None:
    """Encodings, both lengths of a year, renamed columns, empty rows and fields, prices nobody can bet at."""
    old = "Div,Date,HomeTeam,AwayTeam,FTR,BbMxH,BbMxD,BbMxA,\nSP1,18/08/12,Atlético,Alavés,H,1.5,4,8,\n,,,,,,,,\n"
    new = "Date,HomeTeam,FTR,PSH,PSD,PSA,MaxH,MaxD,MaxA\n17/08/2019,Köln,A,1.00,3.9,,1.6,4.1,9,,\n,X,,2,3,4,2,3,4\n"
    for season, text, encoding in (("1213", old, "cp1252"), ("1920", new, "utf-8-sig")):
        (tmp_path / season).mkdir()
        (tmp_path / season / "SP1.csv").write_text(text, encoding)
    read = read_matches(tmp_path)
    assert read.date.astype(str).tolist() == ["2012-08-18", "2019-08-17"]
    assert read.result.tolist() == [0, 2]
    np.testing.assert_array_equal(read.best, [[1.5, 4, 8], [1.6, 4.1, 9]])
    np.testing.assert_array_equal(read.sharp, [[np.nan] * 3, [np.nan, 3.9, np.nan]])


@pytest.mark.parametrize("row", ["17/08/2019,A,1.6", "17/08/2019,A,1.6,4.1,9,7"])
def test_a_row_that_does_not_fit_its_header_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "1920").mkdir()
    (tmp_path / "1920" / "E0.csv").write_text(f"Date,FTR,MaxH,MaxD,MaxA\n{row}\n")
    with pytest.raises(ValueError, match="fields under 5 names, so the columns are shifted"):
        read_matches(tmp_path)


SOFT = ("B365", "BW", "IW", "WH", "VC")
NINETY = 1.6449


class Five(NamedTuple):
    """Five soft books' `opinions` (n, m, 5), their `market`, how far `below` and `above` it other de-vig methods are
    (n, m), Pinnacle's fair log-odds `sharp` (n, m), `result` (m,).
    """

    opinions: Array
    market: Pool
    below: Array
    above: Array
    sharp: Array
    result: NDArray[np.intp]

    def held_of_chosen(self, prices: Array, least_edge: float) -> float:
        """How often the interval of a price (m, B, n) with enough edge contains Pinnacle's fair probability."""
        match, book, outcome = np.nonzero(edge(self.market.probability.T[:, None], prices) >= least_edge)
        cells, none = (outcome, match, book), np.zeros(prices.shape[:2])
        about = measure_dissent(self.opinions, none, self.market, (), cells, prices[match, book, outcome])
        kept = about.dissent < ScoringRules().max_dissent
        return float(self.contains_reference(about.log_odds_error, outcome, match)[kept].mean())

    def contains_reference(self, error: Array, *of: Any) -> NDArray[np.bool_]:
        """Whether the intervals about the consensus hold Pinnacle's, the choice of the de-vig method in them."""
        whole = add_method_uncertainty(error, self.market.probability[of], self.below[of], self.above[of])
        held: NDArray[np.bool_] = np.abs(self.gap()[of]) <= NINETY * whole
        return held

    def gap(self) -> Array:
        """How far Pinnacle is from the consensus, in log-odds."""
        return self.sharp - logit(self.market.probability)

    def confirmed_share(self) -> tuple[float, float]:
        """The share of that distance which the results confirm, and its standard error."""
        odds, gap, games = logit(self.market.probability), self.gap(), np.arange(len(self.result))

        def loss(share: float) -> float:
            probability = expit(odds + share * gap)
            return -float(np.log(probability / probability.sum(axis=0))[self.result, games].sum())

        best = minimize_scalar(loss, bounds=(-2, 4), method="bounded").x
        return float(best), float(1 / np.sqrt((loss(best + 0.1) - 2 * loss(best) + loss(best - 0.1)) / 0.1**2))


@pytest.mark.parametrize(("close", "matches"), [("", 56_767), ("C", 25_489)])
def test_results_side_with_pinnacle_and_the_interval_of_soft_books_holds_it(
    data_dir: Path, close: str, matches: int
) -> None:
    """Five books agree with each other more than with the truth: their common error, measured
    (`COMMON_VARIANCE_RATIO`).
    """
    five, soft = _five(data_dir, close)
    chosen = five.held_of_chosen(soft, 0.02)
    share, error = five.confirmed_share()
    held = five.contains_reference(five.market.log_odds_error).mean()
    sys.stdout.write(f"\n{len(five.result):,} matches: results confirm {share:.2f} +- {error:.2f} of the difference; ")
    sys.stdout.write(f"the interval holds {held:.3f}, of chosen prices {chosen:.3f}\n")
    assert len(five.result) == matches
    assert share - 2 * error > 0.4
    assert share + 2 * error > 1
    assert 0.86 < held < 0.93
    assert 0.87 < chosen < 0.96


def _five(data_dir: Path, close: str) -> tuple[Five, Array]:
    rows = read_rows(data_dir / "football_data_uk")
    soft = np.stack([prices(rows, [f"{book}{close}{o}" for o in OUTCOMES]) for book in SOFT], axis=1)
    sharp = prices(rows, [f"PS{close}{o}" for o in OUTCOMES])
    whole = (soft > 1).all(axis=(1, 2)) & (sharp > 1).all(axis=1)
    opinions = to_log_odds(devig(soft[whole]))
    result = np.array([OUTCOMES.index(row["FTR"]) for row in rows])[whole]
    market = pool(opinions, np.ones((len(result), len(SOFT))))
    each = pool_by_method([to_log_odds(devig(soft[whole], method)) for method in PLAIN_METHODS], market.weight)
    below, above = market.probability - np.fmin.reduce(each), np.fmax.reduce(each) - market.probability
    return Five(opinions, market, below, above, to_log_odds(devig(sharp[whole])), result), soft[whole]
