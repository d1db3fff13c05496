"""Alerts: the log that the scorer appends to, and the Redis streams."""
