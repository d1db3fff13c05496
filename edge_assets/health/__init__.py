"""Whether the product works, and what to do where it does not: pure, from facts to findings.

One judgement for all who show it: `edge status`, `edge doctor`, `/healthz`, the board, Dagster's check. Liveness is
judged by what has been done lately, not by what exists. Whoever notices a fault reports it to
`edge_assets.store.health.problems`; what nobody can report of himself is concluded here from what is missing.
"""
