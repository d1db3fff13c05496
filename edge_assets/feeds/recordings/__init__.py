"""Recorded answers of The Odds API: files read, judged, merged, and held as snapshots in time order."""
