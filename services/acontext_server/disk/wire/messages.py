"""Our nouns as messages, and parts of messages as our nouns."""

import re
from datetime import datetime
from uuid import UUID

from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from acontext.disk import v1 as pb
from acontext_server.disk.domain import (
    INFO_KEY,
    LARGEST_META,
    Artifact,
    Disk,
    Json,
    Meta,
    check_meta,
)
from acontext_server.kit.errors import InvalidRequest, TooLarge

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def disk_to_proto(disk: Disk) -> pb.Disk:
    """Make a disk's message."""
    return pb.Disk(
        id=str(disk.id),
        project_id=str(disk.project_id),
        user_id=None if disk.user_id is None else str(disk.user_id),
        created_at=_timestamp(disk.created_at),
        updated_at=_timestamp(disk.updated_at),
    )


def artifact_to_proto(artifact: Artifact) -> pb.Artifact:
    """Make an artifact's message, with what we say of it beside the user's own keys."""
    location, file = artifact.location, artifact.file
    info: dict[str, Json] = {
        "path": location.path,
        "filename": location.filename,
        "mime": file.mime,
        "size": file.size,
    }
    meta = Struct()
    meta.update({**artifact.meta, INFO_KEY: info})
    return pb.Artifact(
        disk_id=str(artifact.disk_id),
        path=location.path,
        filename=location.filename,
        meta=meta,
        created_at=_timestamp(artifact.created_at),
        updated_at=_timestamp(artifact.updated_at),
    )


def meta_from_proto(meta: Struct) -> Meta:
    """Read the user's keys from a message."""
    if meta.ByteSize() > LARGEST_META:
        raise TooLarge("meta", LARGEST_META)
    return check_meta(_object(meta))


def id_of(text: str, field: str) -> UUID:
    """Read an id that came in a stream, where no interceptor looks at it."""
    if not _UUID.fullmatch(text):
        raise InvalidRequest.of(field, "must be a UUID")
    return UUID(text)


def _object(struct: Struct) -> dict[str, Json]:
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Value) -> Json:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _object(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case "number_value":
            return value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp
