"""Every table and query of session."""
