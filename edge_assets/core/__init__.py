"""Settings, the clock, tokens and external text; of other packages it imports only `reference`."""
