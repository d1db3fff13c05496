"""ESPN's scoreboards: results where The Odds API's are late or down, and the score after regulation. No key needed."""
