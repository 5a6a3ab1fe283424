"""Acontext: typed stubs and client."""
