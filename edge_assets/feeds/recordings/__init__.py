"""Recorded responses of The Odds API: read, validated, merged, and kept as snapshots in time order."""
