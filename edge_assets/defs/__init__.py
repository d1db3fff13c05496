"""Dagster definitions, one package per code location: when something runs, and its lineage.

The work itself is a call into the other packages.
"""
