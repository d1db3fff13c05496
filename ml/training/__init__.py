"""Training and evaluation of models of fair prices; pure, on arrays."""
