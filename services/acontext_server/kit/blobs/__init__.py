"""Bytes kept under their own hash: the port, and the choice of its adapter by URL.

Who stores bytes owns the question whether somebody still needs them; see decision 0010.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from acontext_server.kit.blobs.spool import Spool
from acontext_server.kit.errors import Kind, ServiceError
from acontext_server.kit.ids import ProjectId

__all__ = [
    "BlobKey",
    "BlobMissing",
    "BlobStat",
    "Blobs",
    "PublicUrl",
    "Spool",
    "open_blobs",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobKey:
    """Where bytes are kept. The service is in it, so that none can remove another's bytes."""

    project_id: ProjectId
    service: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.project_id}/{self.service}/{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStat:
    """What the engine knows of kept bytes."""

    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrl:
    """An absolute URL that yields bytes to a plain GET until it expires."""

    url: str
    expires_at: datetime


class Blobs(Protocol):
    """Keeps bytes. Every call may raise `Unavailable`."""

    def spool(self) -> Spool:
        """Make the place where bytes wait for `put()`."""
        ...

    async def put(self, key: BlobKey, spool: Spool) -> None:
        """Keep what was spooled. When this returns, the bytes are durable.

        Bytes that are there already are left alone, so the same put can be repeated, also
        by several callers at once. A reader sees all of the bytes or none.
        """
        ...

    def open(
        self, key: BlobKey, *, offset: int = 0, length: int | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read in chunks from `offset` on, `length` bytes or to the end; beyond it is nothing.

        Raises `BlobMissing` on entering.
        """
        ...

    async def stat(self, key: BlobKey) -> BlobStat | None:
        """Say what is kept under the key, or None."""
        ...

    async def delete(self, key: BlobKey) -> None:
        """Remove the bytes; removing what is not there succeeds."""
        ...

    async def delete_all(self, project_id: ProjectId, service: str) -> None:
        """Remove everything that the service keeps for the project."""
        ...

    async def ask_version(self) -> str | None:
        """Find out whether bytes can be kept now; gives the engine's version if it tells."""
        ...

    def public_url(
        self, key: BlobKey, *, expires_in: timedelta, mime: str, filename: str | None = None
    ) -> PublicUrl:
        """Sign a URL of at most seven days that answers with this type and file name.

        Signing asks the engine nothing, so it does not notice that the bytes are missing.
        """
        ...


class BlobMissing(ServiceError):
    """The engine has no bytes under a key that a row speaks of."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"

    def __init__(self, key: BlobKey) -> None:
        super().__init__(f"no bytes are kept under {key}")


@asynccontextmanager
async def open_blobs(url: str, *, public_url: str, secret: bytes) -> AsyncIterator[Blobs]:
    """Open the engine that the URL names: `file:///folder` or `s3://key:secret@host/bucket`.

    `public_url` is where clients reach the gateway and `secret` signs what files hand out;
    S3 signs for itself.
    """
    match urlsplit(url).scheme:
        case "file":
            from acontext_server.kit.blobs.file import open_file_blobs

            async with open_file_blobs(url, public_url=public_url, secret=secret) as files:
                yield files
        case "s3":
            from acontext_server.kit.blobs.s3 import open_s3_blobs

            async with open_s3_blobs(url) as objects:
                yield objects
        case scheme:
            raise ValueError(f"blobs are kept at file:// or s3://, not {scheme}://")
