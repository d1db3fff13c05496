"""The live stream of alerts, `/ws/alerts`. What a client may rely on is in `PROTOCOL.md` beside this file."""
