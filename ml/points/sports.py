"""Point models of the sports' margins and totals.

`typical_parameters` are measured on final scores against closing lines where data is available, as noted; a fit falls
back on the spread and only starts from the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.points.families import DistributionFamily
from ml.points.model import PointModel
from ml.quotes import Market

if TYPE_CHECKING:
    from collections.abc import Mapping

# 1,372 games of 2018-22 around the median closing spread: maximum likelihood of the deviation and the key numbers,
# which are hit by 203 (3), 89 (6), 121 (7), 73 (10) and 77 (14) margins; the total's deviation from its closing line
_NFL_KEY_WEIGHTS = {s * k: w for k, w in ((3, 3.7), (6, 1.7), (7, 2.4), (10, 1.6), (14, 2.1)) for s in (1, -1)}
NFL = {
    Market.SPREADS: PointModel(DistributionFamily.NORMAL, -60, 60, (0.0, 13.7), {0: 0.25} | _NFL_KEY_WEIGHTS),
    Market.TOTALS: PointModel(DistributionFamily.NORMAL, 0, 110, (45.0, 13.3)),
}
# 2,629 games of 2021-24 around the closing lines; overtime is played until one side leads
NBA = {
    Market.SPREADS: PointModel(DistributionFamily.NORMAL, -70, 70, (0.0, 13.4), {0: 0.0}),
    Market.TOTALS: PointModel(DistributionFamily.NORMAL, 120, 340, (225.0, 18.0)),
}
# 2,460 games of 2016: 28% end with a margin of one run, where a normal distribution has 18%
MLB = {
    Market.SPREADS: PointModel(DistributionFamily.NORMAL, -25, 25, (0.0, 4.3), {0: 0.0, 1: 1.55, -1: 1.55}),
    Market.TOTALS: PointModel(DistributionFamily.NEGATIVE_BINOMIAL, 0, 45, (8.9, 7.1)),
}
# conventional; overtime and shoot-out go on until one side leads
NHL = {
    Market.SPREADS: PointModel(DistributionFamily.SKELLAM, -15, 15, (3.2, 3.0), {0: 0.0}),
    Market.TOTALS: PointModel(DistributionFamily.NEGATIVE_BINOMIAL, 0, 25, (6.1, 60.0)),
}
# 59,869 matches of 2012-24
SOCCER = {
    Market.SPREADS: PointModel(DistributionFamily.SKELLAM, -12, 12, (1.5, 1.2)),
    Market.TOTALS: PointModel(DistributionFamily.NEGATIVE_BINOMIAL, 0, 20, (2.7, 127.0)),
}
_MODELS_BY_SPORT = {"americanfootball_nfl": NFL, "basketball_nba": NBA, "baseball_mlb": MLB, "icehockey_nhl": NHL}
_MODELS_BY_FAMILY = {"soccer": SOCCER}


def point_models_for(sport: str) -> Mapping[Market, PointModel]:
    """The models of spreads and totals of a sport by its key (`americanfootball_nfl`); empty where there are none.

    Leagues without data have none: one league's key numbers are not another's.
    """
    return _MODELS_BY_SPORT.get(sport) or _MODELS_BY_FAMILY.get(sport.split("_", 1)[0], {})
