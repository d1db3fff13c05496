"""How much to stake on a price that is worth it."""

from ml.staking.kelly import decided, kelly_fraction, kelly_with_push, shrinkage

__all__ = ["decided", "kelly_fraction", "kelly_with_push", "shrinkage"]
