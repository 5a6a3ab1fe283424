"""The REST dialect's exact nulls: a marker in unset nullable ids, which the gateway makes `null`.

JSON has no word for an unset `optional string`, and REST clients need the key. The gateway sends a
marker that nobody can guess with each JSON request; here it goes into every field with the option
`nullable` that is unset, and the gateway replaces exactly that marker. gRPC callers send none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from acontext.options.v1 import nullable

MARKER_KEY = "x-acontext-null"


@dataclass(frozen=True, slots=True)
class _Paths:
    fields: tuple[str, ...]
    below: tuple[tuple[str, bool, "_Paths"], ...]

    def __bool__(self) -> bool:
        return bool(self.fields or self.below)


def mark_nulls(message: Message, marker: str) -> None:
    """Put the marker into every unset nullable field of a message."""
    _mark(message, marker, _paths(message.DESCRIPTOR, ()))


def _mark(message: Message, marker: str, paths: _Paths) -> None:
    for name in paths.fields:
        if not message.HasField(name):
            setattr(message, name, marker)
    for name, repeated, below in paths.below:
        if repeated:
            for item in getattr(message, name):
                _mark(item, marker, below)
        elif message.HasField(name):
            _mark(getattr(message, name), marker, below)


@cache
def _paths(descriptor: Descriptor, above: tuple[str, ...]) -> _Paths:
    fields = tuple(
        field.name for field in descriptor.fields if field.GetOptions().Extensions[nullable]
    )
    return _Paths(fields, tuple(_below(descriptor, (*above, descriptor.full_name))))


def _below(descriptor: Descriptor, above: tuple[str, ...]) -> Iterator[tuple[str, bool, _Paths]]:
    for field in descriptor.fields:
        kind = field.message_type
        if kind is None or kind.full_name in above:
            continue
        if kind.GetOptions().map_entry or kind.full_name.startswith("google."):
            continue
        if paths := _paths(kind, above):
            yield field.name, field.is_repeated, paths
