"""How much to stake on a price that is worth it."""

from ml.staking.kelly import kelly_fraction

__all__ = ["kelly_fraction"]
