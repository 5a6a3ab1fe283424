"""The published SDKs against the whole dialect, and what they cannot send."""
