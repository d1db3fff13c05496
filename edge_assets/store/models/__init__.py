"""What models are trained on and what was decided about them."""
