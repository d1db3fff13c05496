"""The quality gate: what must hold of prices before they are used, singly and together."""
