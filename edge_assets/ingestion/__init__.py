"""Collecting odds: when to poll, what a burst does with the responses, who may poll. Without an orchestrator."""
