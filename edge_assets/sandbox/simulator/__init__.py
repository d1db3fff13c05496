"""An invented market whose true probabilities are known: the feed of the demo and of statistical tests."""
