"""Pictures of what the store holds: line movement in the terminal and as PNG, coverage as PNG."""
