"""The Acontext services."""
