"""The mathematics of mispriced bets, usable on its own: no orchestration, web or database."""
