"""Bytes on their way in, before it is known what they are called."""

import asyncio
import hashlib
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO, Self

_IN_MEMORY = 1 << 20


class Spool:
    """Bytes that are counted and hashed as they arrive: few stay in memory, many go to a file.

    Ask `Blobs.spool()` for one, since `Blobs.put()` names its file instead of copying it, and
    leave it by `async with`, which removes what was not put. One task writes it. Without a folder
    the file has no name, so that the kernel removes it even when the process is killed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._closed = False
        # A cancelled caller leaves its thread running, so closing waits for that thread here.
        self._lock = threading.Lock()
        self.size = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def sha256(self) -> str:
        """Lower-case hex of all that was written so far."""
        digest = self._digest.copy()
        digest.update(self._waiting)
        return digest.hexdigest()

    async def write(self, chunk: bytes) -> None:
        """Append a chunk of any size; small ones are gathered before a thread is troubled."""
        self._waiting += chunk
        self.size += len(chunk)
        if len(self._waiting) >= _IN_MEMORY:
            await asyncio.to_thread(self._flush)

    async def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Give back what was written, from `offset` on, at most `length` bytes."""
        count = max(0, self.size - offset) if length is None else length
        if self._file is None:
            return bytes(self._waiting[offset : offset + count])
        return await asyncio.to_thread(self._read, offset, count)

    async def close(self) -> None:
        """Remove the bytes, unless they were put; closing twice does nothing more."""
        if self._file is None:
            self._discard()
        else:
            await asyncio.to_thread(self._discard)

    def to_file(self) -> Path:
        """Have all bytes on the disk, durably, and say where. Blocking: for adapters."""
        self._flush()
        assert self._file is not None
        assert self._path is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._path

    def open(self) -> BinaryIO:
        """Open all bytes for reading from the start, when the last is written. Blocking."""
        if self._file is None:
            return io.BytesIO(self._waiting)
        self._flush()
        self._file.flush()
        # A descriptor of its own: the reader may outlive a caller who was cancelled.
        reader = os.fdopen(os.dup(self._file.fileno()), "rb")
        reader.seek(0)
        return reader

    def _flush(self) -> None:
        with self._lock:
            if self._closed:
                raise ValueError("a closed spool takes no more bytes")
            if self._file is None:
                self._file = self._make_file()
            self._digest.update(self._waiting)
            self._file.write(self._waiting)
            self._waiting.clear()

    def _make_file(self) -> BinaryIO:
        if self._folder is None:
            return tempfile.TemporaryFile()
        handle, name = tempfile.mkstemp(dir=self._folder)
        self._path = Path(name)
        return os.fdopen(handle, "w+b")

    def _read(self, offset: int, length: int) -> bytes:
        self._flush()
        assert self._file is not None
        self._file.flush()
        return os.pread(self._file.fileno(), length, offset)

    def _discard(self) -> None:
        with self._lock:
            self._closed = True
            self._waiting.clear()
            if self._file is not None:
                self._file.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)
