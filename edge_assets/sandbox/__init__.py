"""Servers that stand in for The Odds API: recordings played back, and a simulated market."""
