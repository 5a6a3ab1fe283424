"""What the protos say in words; `make proto` writes it into `comments.json`."""

import json
from collections.abc import Mapping
from importlib import resources

from google.protobuf.descriptor import MethodDescriptor


def read() -> Mapping[str, str]:
    """Return the comment of everything that has one, by its full name."""
    text = resources.files(__package__).joinpath("comments.json").read_text()
    comments: dict[str, str] = json.loads(text)
    return comments


def told(method: MethodDescriptor, comments: Mapping[str, str]) -> tuple[str, str]:
    """Return an RPC's comment as a heading that does not begin with its name, and the rest."""
    paragraphs = comments.get(method.full_name, "").split("\n\n")
    heading = paragraphs[0].removeprefix(f"{method.name} ")
    return heading[:1].upper() + heading[1:], "\n\n".join(paragraphs[1:])
