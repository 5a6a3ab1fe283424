"""Text of any length and content, made fit for reading by an engine and keeping by PostgreSQL."""

LEGIBLE = 16_000
"""Characters that an engine reads of one text: the first half and the last, where errors stand."""

_NULS = ("\0", "\\u0000")
"""NUL, which PostgreSQL keeps in no text, and how JSON writes it."""


def legible(text: str) -> str:
    """Shorten a long text in the middle, and leave out NUL."""
    for nul in _NULS:
        text = text.replace(nul, "")
    if len(text) <= LEGIBLE:
        return text
    half = LEGIBLE // 2
    return f"{text[:half]} … {text[-half:]}"
