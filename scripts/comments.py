"""Write the comments of the protos that REST callers may read into the gateway's package.

Generated Python stubs have no comments, and whoever runs the gateway has no buf. So the words of
the OpenAPI document are committed, made by `make proto` like the stubs.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

TARGET = Path("services/acontext_server/gateway/openapi/comments.json")
NOT_IN_REST = ("_events.proto", "options.proto")

Place = tuple[int, ...]
"""Where something stands in its file, as the compiler numbers it."""


def main(descriptors: Path) -> None:
    """Write the comments of every contract."""
    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    ours = [file for file in files if file.package.startswith("acontext.")]
    told = {
        name: comment
        for file in ours
        if not file.name.endswith(NOT_IN_REST)
        for name, comment in comments_of(file)
    }
    TARGET.write_text(json.dumps(told, indent=0, ensure_ascii=False) + "\n")


def comments_of(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Give the full name and the comment of whatever has one."""
    names = dict(named(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name and location.leading_comments:
            yield f"{file.package}.{name}", unwrapped(location.leading_comments)


def named(file: FileDescriptorProto) -> Iterator[tuple[Place, str]]:
    """Name the places of messages, enums and services, and of what is in them."""
    for index, message in enumerate(file.message_type):
        yield from in_message(message, (file.MESSAGE_TYPE_FIELD_NUMBER, index))
    for index, enum in enumerate(file.enum_type):
        yield from in_enum(enum, (file.ENUM_TYPE_FIELD_NUMBER, index))
    for index, service in enumerate(file.service):
        yield from in_service(service, (file.SERVICE_FIELD_NUMBER, index))


def in_message(message: DescriptorProto, place: Place) -> Iterator[tuple[Place, str]]:
    """Name a message and its fields; ours hold no messages."""
    yield place, message.name
    for index, field in enumerate(message.field):
        yield (*place, message.FIELD_FIELD_NUMBER, index), f"{message.name}.{field.name}"


def in_enum(enum: EnumDescriptorProto, place: Place) -> Iterator[tuple[Place, str]]:
    """Name an enum and its values."""
    yield place, enum.name
    for index, value in enumerate(enum.value):
        yield (*place, enum.VALUE_FIELD_NUMBER, index), f"{enum.name}.{value.name}"


def in_service(service: ServiceDescriptorProto, place: Place) -> Iterator[tuple[Place, str]]:
    """Name a service and its RPCs."""
    yield place, service.name
    for index, rpc in enumerate(service.method):
        yield (*place, service.METHOD_FIELD_NUMBER, index), f"{service.name}.{rpc.name}"


def unwrapped(comment: str) -> str:
    """Put each paragraph on one line; what is indented is an example, and left out."""
    lines = [line.removeprefix(" ") for line in comment.splitlines()]
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs(lines))


def paragraphs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Split at empty lines."""
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line and not line.startswith(" "):
            paragraph.append(line)
        elif not line and paragraph:
            yield paragraph
            paragraph = []


if __name__ == "__main__":
    main(Path(sys.argv[1]))
