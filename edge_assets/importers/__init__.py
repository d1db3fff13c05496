"""The import engine: stores what the readers of `edge_assets.importers.formats` return, without duplicates.

Independent of the orchestrator: `edge import` and the assets use the same `Importer`.
"""
