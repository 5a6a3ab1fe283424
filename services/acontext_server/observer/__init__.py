"""The observer: turns what was said in a session into tasks."""
