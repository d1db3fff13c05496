"""Models of fair prices: prediction, and bundles that hold them on disk; without training and without a registry."""
