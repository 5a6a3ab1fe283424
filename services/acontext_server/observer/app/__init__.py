"""The verbs of the observer, a file per subject."""
