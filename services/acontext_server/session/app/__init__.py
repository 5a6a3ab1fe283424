"""The verbs of session: what each does, in which transaction, and what it announces."""
