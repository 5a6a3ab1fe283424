"""Write the protos that ours import into third_party/.

Google's come from a wheel. No wheel carries buf/validate/validate.proto, but protovalidate carries
its descriptor; what is printed from it declares the same messages, numbers and types. Comments and
the CEL of predefined rules are left out, since protovalidate has them built in.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import google.api.annotations_pb2
import google.rpc.status_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from protovalidate._gen.buf.validate import validate_pb

FROM_GOOGLE = [
    "google/api/annotations.proto",
    "google/api/http.proto",
    "google/api/httpbody.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
]
SCALARS = {
    number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()
}


def main(folder: Path) -> None:
    """Write every imported proto below a folder."""
    site = Path(google.rpc.status_pb2.__file__).parents[2]
    for name in FROM_GOOGLE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site / name, folder / name)
    file = FileDescriptorProto.FromString(validate_pb.desc().proto.to_binary())
    target = folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines_of_file(file)) + "\n")


def lines_of_file(file: FileDescriptorProto) -> Iterator[str]:
    """Print a proto2 file."""
    yield f'syntax = "{file.syntax or "proto2"}";'
    yield f"package {file.package};"
    yield from (f'import "{name}";' for name in file.dependency)
    for enum in file.enum_type:
        yield from lines_of_enum(enum)
    for message in file.message_type:
        yield from lines_of_message(message)
    yield from lines_of_extensions(list(file.extension))


def lines_of_enum(enum: EnumDescriptorProto) -> Iterator[str]:
    """Print an enum."""
    yield f"enum {enum.name} {{"
    if enum.options.allow_alias:
        yield "option allow_alias = true;"
    yield from (f"{value.name} = {value.number};" for value in enum.value)
    for gap in enum.reserved_range:
        yield f"reserved {gap.start} to {gap.end};"
    yield from (f'reserved "{name}";' for name in enum.reserved_name)
    yield "}"


def lines_of_message(message: DescriptorProto) -> Iterator[str]:
    """Print a message with what it holds."""
    yield f"message {message.name} {{"
    for enum in message.enum_type:
        yield from lines_of_enum(enum)
    for nested in message.nested_type:
        yield from lines_of_message(nested)
    for field in message.field:
        if not field.HasField("oneof_index"):
            yield line_of_field(field, label=True)
    for index, oneof in enumerate(message.oneof_decl):
        yield f"oneof {oneof.name} {{"
        for field in message.field:
            if field.HasField("oneof_index") and field.oneof_index == index:
                yield line_of_field(field, label=False)
        yield "}"
    for extended in message.extension_range:
        yield f"extensions {extended.start} to {min(extended.end - 1, 536870911)};"
    for gap in message.reserved_range:
        yield f"reserved {gap.start} to {gap.end - 1};"
    yield from (f'reserved "{name}";' for name in message.reserved_name)
    yield from lines_of_extensions(list(message.extension))
    yield "}"


def lines_of_extensions(fields: list[FieldDescriptorProto]) -> Iterator[str]:
    """Print extensions, each in a block of its own."""
    for field in fields:
        yield f"extend {field.extendee} {{ {line_of_field(field, label=True)} }}"


def line_of_field(field: FieldDescriptorProto, *, label: bool) -> str:
    """Print a field."""
    words = {1: "optional ", 2: "required ", 3: "repeated "}[field.label] if label else ""
    kind = field.type_name or SCALARS[field.type]
    return f"{words}{kind} {field.name} = {field.number};"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
