"""Disks and the artifacts on them."""

import builtins
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from .._model import struct_of
from .._settings import jitter, passes_by
from ..disk import v1 as pb
from ..errors import AcontextError
from ..types.common import Page, page_of
from ..types.disk import (
    Artifact,
    Disk,
    DiskStatistics,
    GetArtifactResp,
    ListArtifactsResp,
    UpdateArtifactResp,
)
from ..uploads import FileUpload, Source, Upload, normalize_file_upload, open_source
from .connection import AsyncConnection, AsyncResource, every_page, new_request_id
from .line import read, sleep

_PIECE_BYTES = 1024 * 1024
_SLOWEST_BYTES_A_SECOND = 1024 * 1024
_UNKNOWN_SIZE_SECONDS = 3600.0


class AsyncDisksAPI(AsyncResource):
    """Disks: trees of files that an agent makes and uses."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.artifacts = AsyncDiskArtifactsAPI(connection)

    async def create(self, *, user: str | None = None) -> Disk:
        """Make an empty disk; a `user` is made on first sight."""
        request = pb.CreateDiskRequest(user=user, request_id=new_request_id())
        answer = await self._connection.call(self._stubs.disks.CreateDisk, request)
        return Disk.of(answer.disk)

    async def list(
        self,
        *,
        user: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Disk]:
        """Return a page of 1 to 200 disks (20) by creation time."""
        request = pb.ListDisksRequest(
            user=user, limit=limit, cursor=cursor, time_desc=bool(time_desc)
        )
        answer = await self._connection.call(self._stubs.disks.ListDisks, request)
        return page_of(Disk, answer)

    def list_all(
        self, *, user: str | None = None, time_desc: bool | None = None
    ) -> AsyncIterator[Disk]:
        """Go through every disk, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Disk]]:
            return self.list(user=user, limit=200, cursor=cursor, time_desc=time_desc)

        return every_page(ask)

    async def get_statistics(self) -> DiskStatistics:
        """Count what the project keeps on disks."""
        request = pb.GetDiskStatisticsRequest()
        answer = await self._connection.call(self._stubs.disks.GetDiskStatistics, request)
        return DiskStatistics.of(answer)

    async def delete(self, disk_id: str) -> None:
        """Remove a disk with its artifacts."""
        request = pb.DeleteDiskRequest(disk_id=disk_id)
        await self._connection.call(self._stubs.disks.DeleteDisk, request)


class AsyncDiskArtifactsAPI(AsyncResource):
    """The files on a disk, each named by its directory and file name."""

    async def upsert(
        self,
        disk_id: str,
        *,
        file: Upload,
        file_path: str | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Write a file of any size up to the server's limit (5 GiB unless set otherwise).

        The content is bytes, a file opened for reading bytes, or a path; it is sent piece by piece
        and appears whole or not at all. A file that is there is replaced; its own meta is kept
        unless `meta` is given. The time-out grows by a second for each MiB.
        """
        upload = normalize_file_upload(file)
        source = open_source(upload.content)
        head = pb.UploadHead(
            disk_id=disk_id, file_path=_upload_path(file_path, upload), meta=struct_of(meta)
        )
        try:
            answer = await self._connection.upload(
                self._stubs.disks.UploadArtifact,
                lambda: _pieces(head, source),
                again=source.start is not None,
                extra_seconds=_seconds_for(source),
            )
        finally:
            source.close()
        return Artifact.of(answer.artifact)

    async def get(
        self,
        disk_id: str,
        *,
        file_path: str,
        filename: str,
        with_public_url: bool | None = None,
        with_content: bool | None = None,
        expire: int | None = None,
    ) -> GetArtifactResp:
        """Return an artifact with its text and a URL that opens without a key.

        The URL opens for `expire` seconds, 1 to 604800 (3600). ArtifactNotFound if there is none.
        """
        request = pb.GetArtifactRequest(
            disk_id=disk_id,
            file_path=_joined(file_path, filename),
            with_public_url=with_public_url,
            with_content=with_content,
            expire=expire,
        )
        answer = await self._connection.call(self._stubs.disks.GetArtifact, request)
        return GetArtifactResp.of(answer)

    async def download(
        self,
        disk_id: str,
        *,
        file_path: str,
        filename: str,
        offset: int = 0,
        length: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Receive the bytes, or a range of them, piece by piece.

        It goes on where it was when the line breaks; an artifact that was replaced meanwhile is an
        AcontextError, for its bytes do not belong to those before.
        """
        place = {"file_path": file_path, "filename": filename}
        first = await self._bare(disk_id, **place)
        end = first.size if length is None else min(first.size, offset + length)
        at, failures = offset, 0
        while at < end or (at == offset and failures == 0):
            request = pb.DownloadArtifactRequest(
                disk_id=disk_id, file_path=_joined(file_path, filename), offset=at
            )
            if length is not None:
                request.length = end - at if end > at else length
            try:
                stream = self._connection.stream(self._stubs.disks.DownloadArtifact, request)
                async with aclosing(stream):
                    async for piece in stream:
                        at, failures = at + len(piece.content.data), 0
                        yield piece.content.data
                return
            except AcontextError as failure:
                if not passes_by(failure) or failures >= self._connection.patience.retries:
                    raise
            await sleep(jitter(failures))
            failures += 1
            if (await self._bare(disk_id, **place)).updated_at != first.updated_at:
                raise AcontextError("the artifact was replaced while it was downloaded")

    async def download_to(
        self, disk_id: str, *, file_path: str, filename: str, target: os.PathLike[str] | str
    ) -> int:
        """Write an artifact into a local file and return its size in bytes."""
        size = 0
        draft = Path(f"{os.fspath(target)}.part")
        with draft.open("wb") as file:  # noqa: ASYNC230 # a piece is written in under a ms
            pieces = self.download(disk_id, file_path=file_path, filename=filename)
            async with aclosing(pieces):
                async for piece in pieces:
                    size += file.write(piece)
        draft.replace(target)  # noqa: ASYNC240 # renaming does not wait
        return size

    async def list(self, disk_id: str, *, path: str | None = None) -> ListArtifactsResp:
        """Return what stands directly in a directory (the root)."""
        request = pb.ListArtifactsRequest(disk_id=disk_id, path=path)
        answer = await self._connection.call(self._stubs.disks.ListArtifacts, request)
        return ListArtifactsResp.of(answer)

    async def update(
        self, disk_id: str, *, file_path: str, filename: str, meta: Mapping[str, Any]
    ) -> UpdateArtifactResp:
        """Replace your own meta keys."""
        request = pb.UpdateArtifactRequest(
            disk_id=disk_id, file_path=_joined(file_path, filename), meta=json.dumps(dict(meta))
        )
        answer = await self._connection.call(self._stubs.disks.UpdateArtifact, request)
        return UpdateArtifactResp.of(answer)

    async def delete(self, disk_id: str, *, file_path: str, filename: str) -> None:
        """Remove an artifact. ArtifactNotFound if there is none."""
        request = pb.DeleteArtifactRequest(disk_id=disk_id, file_path=_joined(file_path, filename))
        await self._connection.call(self._stubs.disks.DeleteArtifact, request)

    async def grep_artifacts(
        self, disk_id: str, *, query: str, limit: int = 100
    ) -> builtins.list[Artifact]:
        """Find artifacts whose text a PostgreSQL regular expression matches, up to 1000.

        InvalidPattern if it is none.
        """
        request = pb.GrepArtifactsRequest(disk_id=disk_id, query=query, limit=limit)
        answer = await self._connection.call(self._stubs.disks.GrepArtifacts, request)
        return [Artifact.of(item) for item in answer.items]

    async def glob_artifacts(
        self, disk_id: str, *, query: str, limit: int = 100
    ) -> builtins.list[Artifact]:
        """Find artifacts by their whole path: `*` matches anything, `?` one character."""
        request = pb.GlobArtifactsRequest(disk_id=disk_id, query=query, limit=limit)
        answer = await self._connection.call(self._stubs.disks.GlobArtifacts, request)
        return [Artifact.of(item) for item in answer.items]

    grep = grep_artifacts
    glob = glob_artifacts

    async def _bare(self, disk_id: str, *, file_path: str, filename: str) -> Artifact:
        found = await self.get(
            disk_id,
            file_path=file_path,
            filename=filename,
            with_public_url=False,
            with_content=False,
        )
        return found.artifact


def _joined(file_path: str, filename: str) -> str:
    return f"{file_path.rstrip('/')}/{filename}"


def _upload_path(file_path: str | None, upload: FileUpload) -> str:
    """Join directory and name; a path that ends in the file's own name is the whole already."""
    name = upload.filename.replace("\\", "/").rsplit("/", 1)[-1]
    directory, _, last = (file_path or "/").rpartition("/")
    return _joined(directory if last == name else file_path or "/", name)


def _seconds_for(source: Source) -> float:
    if not source.size:
        return _UNKNOWN_SIZE_SECONDS if source.start is None else 0.0
    return source.size / _SLOWEST_BYTES_A_SECOND


async def _pieces(head: pb.UploadHead, source: Source) -> AsyncIterator[pb.UploadArtifactRequest]:
    source.rewind()
    yield pb.UploadArtifactRequest(head=head)
    while chunk := await read(source.file, _PIECE_BYTES):
        yield pb.UploadArtifactRequest(chunk=chunk)
