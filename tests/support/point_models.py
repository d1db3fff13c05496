"""Sports to test with."""

from __future__ import annotations

from ml.points import DistributionFamily, PointModel

NFL_MARGIN = PointModel(
    DistributionFamily.NORMAL,
    -80,
    80,
    (0.0, 12.5),
    {0: 0.05} | {s * k: w for k, w in ((3, 2.4), (7, 1.7), (6, 1.3)) for s in (1, -1)},
)
NBA_TOTAL = PointModel(DistributionFamily.NORMAL, 100, 360, (226.0, 17.0))
SOCCER_MARGIN = PointModel(DistributionFamily.SKELLAM, -15, 15, (1.5, 1.2))
SOCCER_TOTAL = PointModel(DistributionFamily.NEGATIVE_BINOMIAL, 0, 40, (2.7, 30.0))
HOCKEY_MARGIN = PointModel(DistributionFamily.SKELLAM, -20, 20, (3.2, 3.0), {0: 0.0})

MODELS = {
    "nfl margin": (NFL_MARGIN, (-3.7, 13.1)),
    "nba total": (NBA_TOTAL, (219.3, 15.2)),
    "soccer margin": (SOCCER_MARGIN, (1.9, 0.8)),
    "soccer total": (SOCCER_TOTAL, (3.1, 12.0)),
    "hockey margin": (HOCKEY_MARGIN, (3.4, 2.7)),
}
