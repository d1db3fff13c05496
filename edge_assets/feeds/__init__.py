"""Sources of odds: The Odds API, its replay from recordings, and the market simulator."""
