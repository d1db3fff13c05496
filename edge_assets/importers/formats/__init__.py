"""Readers of archives of odds and results, one module per format.

Pure: a reader turns bytes into a `ParsedBatch` without a database, and counts unusable parts by reason.
"""
