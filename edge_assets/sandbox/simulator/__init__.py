"""A market that does not exist, with a truth that is known: the feed of the demo and of statistical tests."""
