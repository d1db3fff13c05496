"""Charts of stored data: line movement in the terminal and as PNG, coverage as PNG."""
