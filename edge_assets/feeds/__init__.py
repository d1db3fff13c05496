"""Clients of The Odds API and ESPN, and readers of recorded responses."""
