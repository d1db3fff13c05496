"""The REST interface: odds, open alerts, health, status and the board's session."""
