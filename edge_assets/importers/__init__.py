"""The import engine: what the readers of `edge_assets.importers.formats` find becomes rows, once.

Free of the orchestrator: `edge import` and the assets call the same `Importer`.
"""
