"""Reading the arguments of calls and the answers of tools, whatever shape they have."""

from collections.abc import Iterator

import orjson

Leaf = str | int | float | bool


def parsed(text: str) -> object:
    """Read JSON, or leave the text as it is."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value


def leaves(payload: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """Walk to every value that is not empty, with the keys on the way to it."""
    if isinstance(payload, dict):
        for key, value in payload.items():
            yield from leaves(value, (*path, str(key)))
    elif isinstance(payload, list):
        for value in payload:
            yield from leaves(value, path)
    elif isinstance(payload, str | int | float | bool) and payload != "":
        yield path, payload
