"""The mathematics of mispriced bets, usable alone: no orchestration, no web, no database."""
