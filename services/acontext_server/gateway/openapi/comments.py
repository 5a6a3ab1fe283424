"""What the protos say in words; `make proto` writes it into `comments.json`."""

import json
import re
from collections.abc import Mapping
from importlib import resources

from google.protobuf.descriptor import MethodDescriptor


def read() -> Mapping[str, str]:
    """Return the comment of everything that has one, by its full name."""
    text = resources.files(__package__).joinpath("comments.json").read_text()
    comments: dict[str, str] = json.loads(text)
    return comments


def told(method: MethodDescriptor, comments: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return an RPC's comment as a heading that does not begin with its name, and the rest."""
    heading, *rest = comments[method.full_name].split("\n\n")
    if typed := typed_twin(method, comments):
        twins_heading, twins_rest = told(typed, comments)
        return twins_heading, [*twins_rest, heading, *rest]
    heading = heading.removeprefix(f"{method.name} ")
    return heading[:1].upper() + heading[1:], rest


def typed_twin(method: MethodDescriptor, comments: Mapping[str, str]) -> MethodDescriptor | None:
    """Return the RPC that this one says it is: "StoreMessageJson is StoreMessage for …"."""
    said = re.match(rf"{method.name} is (\w+) (?:as|for) ", comments[method.full_name])
    return method.containing_service.methods_by_name.get(said[1]) if said else None
