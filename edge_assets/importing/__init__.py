"""The import engine: what the readers of `edge_assets.feeds.history` find becomes rows, once.

Free of the orchestrator: `edge import` and the assets call the same `Importer`.
"""
