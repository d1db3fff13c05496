"""The code location `analytics`: everything whose imports are too heavy for a burst."""
