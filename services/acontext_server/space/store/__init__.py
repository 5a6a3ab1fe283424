"""Tables and every query of space."""
