"""The templates, made by the command and run to their end."""
