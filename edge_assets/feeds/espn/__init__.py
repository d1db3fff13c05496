"""ESPN's scoreboards: a second source of results, with the score after regulation. No key needed."""
