"""The blocking client: all but `line.py` is generated from `_async` by `make proto`."""
