"""The Odds API v4: a client, and the differ that finds what changed between payloads."""
