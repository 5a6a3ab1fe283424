"""Tables and every query, a file per noun."""
