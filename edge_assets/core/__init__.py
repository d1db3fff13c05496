"""What every room rests on: settings, the clock, tokens, texts from outside. It knows no other room."""
