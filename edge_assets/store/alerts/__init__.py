"""Alerts: the log to which the scorer appends, and the Redis streams."""
