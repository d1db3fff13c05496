"""The live stream of alerts, `/ws/alerts`. `PROTOCOL.md` in this folder defines what a client may rely on."""
