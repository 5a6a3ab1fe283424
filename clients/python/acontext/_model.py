"""What every model can do, and how one is made of a message of the contract."""

import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, Self

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp as TimestampMessage


class Timestamp(str):
    """A moment as RFC 3339 text in UTC, such as `2026-11-24T10:00:00.123456Z`; sorts as text."""

    __slots__ = ()

    @classmethod
    def of(cls, message: TimestampMessage) -> Self:
        """Make it of a message's moment."""
        moment = message.ToDatetime(UTC).isoformat(timespec="microseconds")
        return cls(moment.replace("+00:00", "Z"))

    @property
    def datetime(self) -> datetime:
        """The same moment to calculate with."""
        return datetime.fromisoformat(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Reads as an object (`task.status`) and as a mapping (`task["status"]`).

    A field without a value is None, and is not `in` the model.
    """

    @classmethod
    def of(cls, message: Message) -> Self:
        """Make it of the message with the same fields."""
        plan: Any = _plan  # mypy takes a class of its own for unhashable
        return cls(**{name: read(message) for name, read in plan(cls)})

    def __getitem__(self, name: str) -> Any:
        if name in self.keys():  # a field that is None is a key too
            return getattr(self, name)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys() and getattr(self, str(name)) is not None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field's value, or the default where it has none."""
        return getattr(self, name) if name in self else default

    def keys(self) -> list[str]:
        """List the names of the fields."""
        return [field.name for field in fields(self)]

    def model_dump(self, **_: object) -> dict[str, Any]:
        """Return plain dicts and lists all the way down."""
        return {name: _plain(getattr(self, name)) for name in self.keys()}

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """Return the same as JSON text."""
        return json.dumps(self.model_dump(), indent=indent, ensure_ascii=False)


class Fields(dict[str, Any]):
    """A dict whose typed entries are attributes too; what is empty is not there."""

    def model_dump(self, **_: object) -> dict[str, Any]:
        """Return a plain dict."""
        return dict(self)


def _plain(value: Any) -> Any:
    if isinstance(value, Model | Fields):
        return value.model_dump()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Timestamp) else value


def moment_of(value: datetime | None) -> TimestampMessage | None:
    """Make a message's moment; None stays None, and a datetime without a zone is local time."""
    if value is None:
        return None
    moment = TimestampMessage()
    moment.FromDatetime(value.astimezone(UTC))
    return moment


def struct_of(value: Mapping[str, Any] | None) -> Struct | None:
    """Make free JSON of a dict; None stays None, which leaves a field unset."""
    if value is None:
        return None
    struct = Struct()
    struct.update(dict(value))
    return struct


def json_of(struct: Struct) -> dict[str, Any]:
    """Make a dict of free JSON; whole numbers are ints, as they are in JSON."""
    return {name: _json_value(value) for name, value in struct.fields.items()}


def _json_value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return json_of(value.struct_value)
        case "list_value":
            return _json_list(value.list_value)
    return None


def _json_list(values: ListValue) -> list[Any]:
    return [_json_value(value) for value in values.values]


_Read = Callable[[Any], Any]


@cache
def _plan(model: type[Model]) -> list[tuple[str, _Read]]:
    """Say how each field is read, found once per model from its annotation."""
    hints = typing.get_type_hints(model)
    return [(field.name, _reader(field.name, hints[field.name])) for field in fields(model)]


def _reader(name: str, hint: Any) -> _Read:
    if typing.get_origin(hint) is types.UnionType:
        (inner,) = (one for one in typing.get_args(hint) if one is not type(None))
        if typing.get_origin(inner) in (list, dict) and inner != dict[str, Any]:
            convert = _converter(inner)
            return lambda message: convert(getattr(message, name)) or None
        return _optional(name, _converter(inner))
    convert = _converter(hint)
    return lambda message: convert(getattr(message, name))


def _optional(name: str, convert: _Read) -> _Read:
    return lambda message: convert(getattr(message, name)) if message.HasField(name) else None


def _converter(hint: Any) -> _Read:
    if hint == dict[str, Any]:
        return json_of
    match typing.get_origin(hint):
        case typing.Literal:
            return lambda value: value
        case origin if origin is list:
            item = _converter(typing.get_args(hint)[0])
            return lambda values: [item(value) for value in values]
        case origin if origin is dict:
            item = _converter(typing.get_args(hint)[1])
            return lambda values: {key: item(value) for key, value in values.items()}
    made: _Read = getattr(hint, "of", lambda value: value)
    return made
