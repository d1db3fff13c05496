"""The Odds API v4, served from a tape: recorded payloads or a simulated market."""
