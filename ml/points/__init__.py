"""Points: what the books' prices at different points say together, and what any point is worth."""

from ml.points.families import Family
from ml.points.fit import FIRMNESS, FitStatus, PointFit, fit_points
from ml.points.model import PointModel
from ml.points.settlement import Chances, settle

__all__ = [
    "FIRMNESS",
    "Chances",
    "Family",
    "FitStatus",
    "PointFit",
    "PointModel",
    "fit_points",
    "settle",
]
