"""Points: fitting margins and totals to prices at different points, and pricing any point."""

from ml.points.families import DistributionFamily
from ml.points.fit import PRIOR_STRENGTH, FitStatus, PointFit, fit_points
from ml.points.ladder import TranslatedPoints, line_win_push_loss, translate_points
from ml.points.model import PointModel
from ml.points.settlement import WinPushLoss, win_push_loss
from ml.points.sports import point_models_for

__all__ = [
    "PRIOR_STRENGTH",
    "DistributionFamily",
    "FitStatus",
    "PointFit",
    "PointModel",
    "TranslatedPoints",
    "WinPushLoss",
    "fit_points",
    "line_win_push_loss",
    "point_models_for",
    "translate_points",
    "win_push_loss",
]
