"""What users touch: the scorer that raises alerts, the API, the live stream, the board."""
