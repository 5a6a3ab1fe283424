"""Reading a provider's JSON so that every refusal names the field and the rule."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from acontext_server.session.domain import InvalidMessage
from acontext_server.session.free_json import InvalidJson, Json, JsonObject, dump, parse_text


class Field(NamedTuple):
    """A value of a document with the path by which an error names it. Null counts as absent.

    A tuple, as reading a message makes a handful of them.
    """

    value: Json
    path: str
    refusal: Callable[[str, str], Exception] = InvalidMessage
    """Makes the error from the path and the rule."""

    def get(self, *names: str) -> "Field":
        """Take the member of an object under the first of these names that is there."""
        members = self.value if isinstance(self.value, dict) else {}
        for name in names:
            value = members.get(name)
            if value is not None:
                return Field(value, f"{self.path}.{name}", self.refusal)
        return Field(None, f"{self.path}.{names[0]}", self.refusal)

    @property
    def here(self) -> bool:
        """Whether anything is given."""
        return self.value is not None

    def items(self) -> Iterator["Field"]:
        """Walk a list; an absent one is empty."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("must be an array")
        for index, item in enumerate(self.value):
            yield Field(item, f"{self.path}[{index}]", self.refusal)

    def text(self) -> str:
        """Take a text, which may be empty."""
        if not isinstance(self.value, str):
            raise self.wrong(_required("must be text", self.value))
        return self.value

    def filled(self) -> str:
        """Take a text that is not empty."""
        text = self.text()
        if not text:
            raise self.wrong("must not be empty")
        return text

    def text_if_any(self) -> str | None:
        """Take a text, or nothing if it is absent."""
        return self.text() if self.here else None

    def object(self) -> JsonObject:
        """Take an object as it is."""
        if not isinstance(self.value, dict):
            raise self.wrong(_required("must be an object", self.value))
        return self.value

    def one_of(self, words: Sequence[str]) -> str:
        """Take one of these words."""
        if self.value not in words:
            given = f", not {dump(self.value)[:60]}" if self.here else ""
            raise self.wrong(f"must be one of {', '.join(words)}{given}")
        return str(self.value)

    def wrong(self, rule: str) -> Exception:
        """Make the refusal of this field."""
        return self.refusal(self.path, rule)


def _required(rule: str, value: Json) -> str:
    return f"is required and {rule}" if value is None else rule


def without_nothing(**members: Json) -> JsonObject:
    """Make an object of the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def object_of(arguments: Json) -> JsonObject:
    """Make an object of a call's arguments: read if they are the text of one, else wrapped."""
    value = _parsed(arguments) if isinstance(arguments, str) else arguments
    return value if isinstance(value, dict) else {"input": arguments}


def _parsed(text: str) -> Json:
    try:
        return parse_text(text)
    except InvalidJson:
        return None
