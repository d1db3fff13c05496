"""The Odds API v4, served from recorded payloads or a simulated market."""
