"""The engine of models: training sets from the store, training, evaluation and bundles; without the orchestrator."""
