"""Disks and artifacts, what an artifact's meta may be, and what can go wrong."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

import orjson

from acontext_server.kit.errors import FieldViolation, Kind, ServiceError, TooLarge
from acontext_server.kit.ids import ProjectId

DiskId = NewType("DiskId", UUID)
UserId = NewType("UserId", UUID)

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Meta = Mapping[str, Json]

INFO_KEY = "__artifact_info__"
"""What we say of an artifact stands under this key, beside the user's own."""
LARGEST_META = 1024 * 1024
DEEPEST_META = 32
"""Levels; protobuf gives up at some 45, because each takes two of its messages."""


class ContentType(StrEnum):
    """How the text of an artifact is to be read."""

    JSON = "json"
    CSV = "csv"
    CODE = "code"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStatistics:
    """What a project keeps on disks."""

    disks: int
    artifacts: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A tree of artifacts."""

    id: DiskId
    project_id: ProjectId
    user_id: UserId | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where an artifact stands on its disk."""

    path: str
    """The directory, with a leading and a trailing slash."""
    filename: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes and what they are under their name."""

    sha256: str
    size: int
    mime: str
    content_type: ContentType | None
    """None if the bytes are no text that is handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file on a disk."""

    disk_id: DiskId
    location: Location
    file: File
    meta: Meta
    """The user's own keys."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactChanged:
    """An artifact was written, described anew or removed."""

    disk_id: DiskId
    location: Location
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskDeleted:
    """The disk is gone with its artifacts."""

    disk_id: DiskId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForgotten:
    """Nothing of this user's is left here."""

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectForgotten:
    """Nothing of the project is left here."""


Event = ArtifactChanged | DiskDeleted | UserForgotten | ProjectForgotten


def read_meta(text: str | bytes) -> Meta:
    """Read the user's keys from JSON text."""
    if len(text) > LARGEST_META:
        raise TooLarge("meta", LARGEST_META)
    try:
        meta = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidMeta("must be a JSON object") from None
    return check_meta(meta)


def check_meta(meta: Json) -> Meta:
    """Hold what was parsed to the rules: an object, not too deep, without our own key."""
    if not isinstance(meta, dict):
        raise InvalidMeta("must be a JSON object")
    if INFO_KEY in meta:
        raise InvalidMeta(f"the key {INFO_KEY} is reserved")
    _check_values(meta, DEEPEST_META)
    return meta


def _check_values(value: Json, levels: int) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidMeta("numbers must be finite")
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise InvalidMeta(f"must not be nested deeper than {DEEPEST_META} levels")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_values(inner, levels - 1)


class DiskNotFound(ServiceError):
    """No disk has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "DISK_NOT_FOUND"

    def __init__(self, disk_id: DiskId) -> None:
        super().__init__("no disk has this disk_id", metadata={"disk_id": str(disk_id)})


class ArtifactNotFound(ServiceError):
    """The disk has no artifact there."""

    kind = Kind.NOT_FOUND
    reason = "ARTIFACT_NOT_FOUND"

    def __init__(self, disk_id: DiskId) -> None:
        super().__init__(
            "the disk has no artifact at this file_path", metadata={"disk_id": str(disk_id)}
        )


class BlobNotFound(ServiceError):
    """The public URL was not made by us, or it has expired."""

    kind = Kind.NOT_FOUND
    reason = "BLOB_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("this URL was not made here or has expired")


class _InvalidField(ServiceError):
    kind = Kind.INVALID_ARGUMENT

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(
            f"{field}: {rule}",
            metadata={"field": field},
            violations=[FieldViolation(field=field, description=rule)],
        )


class InvalidPath(_InvalidField):
    """The path is none."""

    reason = "INVALID_PATH"


class InvalidMeta(_InvalidField):
    """The meta is no JSON object, or has a key of ours."""

    reason = "INVALID_META"

    def __init__(self, rule: str) -> None:
        super().__init__("meta", rule)


class InvalidPattern(_InvalidField):
    """The pattern is no regular expression, or takes too long."""

    reason = "INVALID_PATTERN"

    def __init__(self, rule: str) -> None:
        super().__init__("query", rule)


class InvalidUpload(_InvalidField):
    """The upload is broken or lacks the file."""

    reason = "INVALID_UPLOAD"


class RangeNotSatisfiable(ServiceError):
    """The asked range lies beyond the end."""

    kind = Kind.OUT_OF_RANGE
    reason = "RANGE_NOT_SATISFIABLE"
    http_status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes", metadata={"size": str(size)})
        # By this a client that resumes a download knows that it has it all: RFC 9110, 15.5.17.
        self.http_headers = [("content-range", f"bytes */{size}")]
