"""Collecting odds: when to ask, what a burst does with the answers, who may ask. No orchestrator in here."""
