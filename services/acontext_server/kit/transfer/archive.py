"""The archive: a plain tar whose members are numbered pieces of named streams.

What is in it can be looked at with `tar`. A manifest comes first and a hash over
all streams last, so an archive that was cut off is noticed.
"""

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

PIECE = 4 * 2**20
MANIFEST, END = "manifest.json", "end.json"


class ArchiveBroken(ValueError):
    """The file is no archive of ours, was damaged or is cut off."""


class _Seen:
    """How many streams there were, and one hash over all of them."""

    def __init__(self) -> None:
        self._count = 0
        self._digest = hashlib.sha256()

    def note(self, name: str, sha256: str) -> None:
        self._count += 1
        self._digest.update(f"{name} {sha256}\n".encode())

    def told(self) -> dict[str, object]:
        return {"streams": self._count, "sha256": self._digest.hexdigest()}


class ArchiveWriter:
    """Writes streams one after the other."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._seen = _Seen()

    async def add(self, name: str, chunks: AsyncIterator[bytes]) -> int:
        """Write a stream of any size, and return how many bytes it had."""
        digest, waiting, number, size = hashlib.sha256(), bytearray(), 0, 0
        async for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            waiting += chunk
            while len(waiting) >= PIECE:
                await self._piece(name, number, bytes(waiting[:PIECE]))
                del waiting[:PIECE]
                number += 1
        if waiting or number == 0:
            await self._piece(name, number, bytes(waiting))
        self._seen.note(name, digest.hexdigest())
        return size

    async def write(self, name: str, content: object) -> None:
        """Write a small member as JSON."""
        await asyncio.to_thread(self._member, name, orjson.dumps(content))

    async def finish(self) -> None:
        """Write down what there was, without which nobody takes the archive."""
        await self.write(END, self._seen.told())

    async def _piece(self, name: str, number: int, data: bytes) -> None:
        await asyncio.to_thread(self._member, f"{name}/{number:08}", data)

    def _member(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        _forget_members(self._tar)


def _forget_members(tar: tarfile.TarFile) -> None:
    # It remembers all that went by, also where it cannot go back. Not in its types.
    tar.members.clear()  # type: ignore[attr-defined]


@asynccontextmanager
async def write_archive(file: BinaryIO, manifest: object) -> AsyncIterator[ArchiveWriter]:
    """Write an archive, which is whole when this is left without an exception."""
    with tarfile.open(fileobj=file, mode="w|") as tar:
        writer = ArchiveWriter(tar)
        await writer.write(MANIFEST, manifest)
        yield writer
        await writer.finish()


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of an archive, to be read before the next one is asked for."""

    name: str
    chunks: AsyncIterator[bytes]


class ArchiveReader:
    """Reads an archive from its beginning to its end, once."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._tar = tarfile.open(fileobj=file, mode="r|")  # noqa: SIM115 it closes with us
        except tarfile.TarError as error:
            raise ArchiveBroken("this is no archive of Acontext's") from error
        self._members = self._read()
        self._ahead: tuple[str, bytes] | None = None
        self._seen = _Seen()

    async def manifest(self) -> Any:
        """Read what the archive says of itself; to be called first."""
        name, data = await self._next() or ("", b"")
        if name != MANIFEST:
            raise ArchiveBroken("this is no archive of Acontext's")
        return orjson.loads(data)

    async def streams(self) -> AsyncIterator[Stream]:
        """Give every stream in order; ArchiveBroken when the end is missing or does not fit."""
        self._ahead = await self._next()
        while self._ahead and self._ahead[0] != END:
            name = self._ahead[0].rpartition("/")[0]
            yield Stream(name, self._chunks(name))
        if not self._ahead:
            raise ArchiveBroken("the archive was cut off")
        if orjson.loads(self._ahead[1]) != self._seen.told():
            raise ArchiveBroken("the archive was damaged")

    async def _chunks(self, name: str) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        while self._ahead and self._ahead[0].rpartition("/")[0] == name:
            digest.update(self._ahead[1])
            yield self._ahead[1]
            self._ahead = await self._next()
        self._seen.note(name, digest.hexdigest())

    async def _next(self) -> tuple[str, bytes] | None:
        return await asyncio.to_thread(next, self._members, None)

    def _read(self) -> Iterator[tuple[str, bytes]]:
        try:
            while member := self._tar.next():
                content = self._tar.extractfile(member)
                yield member.name, content.read() if content else b""
                _forget_members(self._tar)
        except (tarfile.TarError, EOFError) as error:
            raise ArchiveBroken("the archive was cut off or damaged") from error
