"""The Odds API v4: a client, and what a payload changed since the last one."""
