"""Archives of odds and results as columns, a module a format.

Pure: a reader turns bytes into a `ParsedBatch` and knows no database. What it cannot use it counts, with a reason.
"""
