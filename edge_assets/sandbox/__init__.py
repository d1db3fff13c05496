"""Servers that stand in for The Odds API: a replay of recordings, and a simulated market."""
