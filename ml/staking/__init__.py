"""Stakes."""
