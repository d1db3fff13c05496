"""Queries of the warehouse, the quality gate and the charts."""
