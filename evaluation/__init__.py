"""How good observing and learning are, measured on labelled conversations."""
