"""Disks and the artifacts on them."""

from dataclasses import dataclass
from typing import Any

from .._model import Model, Timestamp
from .common import FileContent, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk(Model):
    """A tree of artifacts: the files that an agent makes and uses."""

    id: str
    project_id: str
    user_id: str | None = None
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact(Model):
    """One file; disk, path and file name name it."""

    disk_id: str
    path: str
    """The directory, with a leading and a trailing slash."""
    filename: str
    meta: dict[str, Any]
    """`__artifact_info__` (path, filename, mime, size) beside your own keys."""
    created_at: Timestamp
    updated_at: Timestamp

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.meta["__artifact_info__"]["size"])

    @property
    def mime(self) -> str:
        """What the bytes are."""
        return str(self.meta["__artifact_info__"]["mime"])


@dataclass(frozen=True, slots=True, kw_only=True)
class GetArtifactResp(Model):
    """An artifact with what was asked of it."""

    artifact: Artifact
    public_url: str | None = None
    content: FileContent | None = None
    """None if the file has no text of a known kind, or more of it than 16 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateArtifactResp(Model):
    """An artifact as it is now."""

    artifact: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class ListArtifactsResp(Model):
    """What stands directly in a directory."""

    artifacts: list[Artifact]
    directories: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStatistics(Model):
    """What a project keeps on disks."""

    disks: int
    artifacts: int
    bytes: float


ListDisksOutput = Page[Disk]
