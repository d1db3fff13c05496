"""The scorer that raises alerts, the API, the live stream and the board."""
