"""Dagster definitions, one package a code location: when something runs and with which lineage.

The work itself is a call into the packages beside this one.
"""
