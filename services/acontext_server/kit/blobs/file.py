"""Blobs in a folder: one file per key, shared by all processes that see the folder."""

import asyncio
import errno
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from acontext_server.kit.blobs import (
    BlobKey,
    BlobMissing,
    BlobStat,
    PublicUrl,
    Spool,
)
from acontext_server.kit.blobs.token import BlobToken, BlobTokens
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId

_CHUNK = 512 * 1024
_ABANDONED_AFTER = timedelta(days=1)
_BEGUN = timedelta(microseconds=999_999)


class FileBlobs:
    """Keeps each blob as `folder/project/service/sha256`, written aside and named when whole."""

    def __init__(self, folder: Path, *, public_url: str, tokens: BlobTokens) -> None:
        self._folder = folder
        self._incoming = folder / ".incoming"
        self._public_url = public_url.rstrip("/")
        self._tokens = tokens

    def spool(self) -> Spool:
        return Spool(self._incoming)

    async def put(self, key: BlobKey, spool: Spool) -> None:
        await asyncio.to_thread(self._put, self._path(key), spool)

    @asynccontextmanager
    async def open(
        self, key: BlobKey, *, offset: int = 0, length: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            raise BlobMissing(key) from None
        with file:
            yield _chunks(file, offset, length)

    async def stat(self, key: BlobKey) -> BlobStat | None:
        try:
            found = await asyncio.to_thread(self._path(key).stat)
        except FileNotFoundError:
            return None
        return BlobStat(size=found.st_size, modified_at=datetime.fromtimestamp(found.st_mtime, UTC))

    async def delete(self, key: BlobKey) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def delete_all(self, project_id: ProjectId, service: str) -> None:
        await asyncio.to_thread(_remove_tree, self._folder / str(project_id) / service)

    async def ask_version(self) -> str | None:
        if not await asyncio.to_thread(os.access, self._incoming, os.W_OK):
            raise Unavailable("blobs")
        return None

    def public_url(
        self, key: BlobKey, *, expires_in: timedelta, mime: str, filename: str | None = None
    ) -> PublicUrl:
        # A token has whole seconds; the one that was begun is given.
        expires_at = (datetime.now(UTC) + expires_in + _BEGUN).replace(microsecond=0)
        token = BlobToken(key=key, mime=mime, filename=filename, expires_at=expires_at)
        return PublicUrl(
            url=f"{self._public_url}/blobs/{self._tokens.sign(token)}", expires_at=expires_at
        )

    def _path(self, key: BlobKey) -> Path:
        return self._folder / str(key)

    def _put(self, target: Path, spool: Spool) -> None:
        try:
            if not target.exists():
                _place(spool.to_file(), target)
            # Also for bytes that were there: whoever named them may not have come this far.
            for folder in (target.parent, target.parent.parent, self._folder):
                _sync_folder(folder)
        except OSError as error:
            raise Unavailable("blobs") from error


@asynccontextmanager
async def open_file_blobs(url: str, *, public_url: str, secret: bytes) -> AsyncIterator[FileBlobs]:
    """Open `file:///absolute/folder`, made if it is missing."""
    folder = Path(unquote(urlsplit(url).path))
    blobs = FileBlobs(folder, public_url=public_url, tokens=BlobTokens(secret))
    await asyncio.to_thread(_prepare, folder / ".incoming")
    yield blobs


def _prepare(incoming: Path) -> None:
    incoming.mkdir(parents=True, exist_ok=True)
    abandoned = time.time() - _ABANDONED_AFTER.total_seconds()
    for leftover in incoming.iterdir():
        if leftover.stat().st_mtime < abandoned:
            leftover.unlink(missing_ok=True)


def _place(source: Path, target: Path) -> None:
    # A second name and not a new one: the spool can be put again, should the bytes be removed.
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    copy = source.with_suffix(".copy")
    with source.open("rb") as read, copy.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    copy.replace(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_tree(folder: Path) -> None:
    while folder.exists():
        # Another process may remove the same tree, or a late upload fill it again.
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


async def _chunks(file: BinaryIO, offset: int, length: int | None) -> AsyncIterator[bytes]:
    position, left = offset, length
    while left is None or left > 0:
        count = _CHUNK if left is None else min(_CHUNK, left)
        chunk = await asyncio.to_thread(os.pread, file.fileno(), count, position)
        if not chunk:
            return
        yield chunk
        position += len(chunk)
        left = None if left is None else left - len(chunk)
