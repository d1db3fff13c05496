"""Points: what the books' prices at different points say together, and what any point is worth."""

from ml.points.families import Family
from ml.points.fit import FIRMNESS, FitStatus, PointFit, fit_points
from ml.points.ladder import Carried, carry, push_shares
from ml.points.model import PointModel
from ml.points.settlement import Chances, settle
from ml.points.sports import point_models

__all__ = [
    "FIRMNESS",
    "Carried",
    "Chances",
    "Family",
    "FitStatus",
    "PointFit",
    "PointModel",
    "carry",
    "fit_points",
    "point_models",
    "push_shares",
    "settle",
]
