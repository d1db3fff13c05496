"""Whether the product works, and what to do when it does not. Pure: facts in, findings out.

One assessment for every surface: `edge status`, `edge doctor`, `/healthz`, the board, the Dagster check. A service is
alive if it did something recently, not because it exists. Code that notices a fault reports it to
`edge_assets.store.health.problems`; what no service can report about itself is inferred here from what is missing.
"""
