"""Problems, heartbeats and counts: what every status shows."""
