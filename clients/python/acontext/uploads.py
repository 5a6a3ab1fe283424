"""Files on their way to Acontext."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

Content = bytes | bytearray | BinaryIO | os.PathLike[str]
"""Bytes, a file opened for reading bytes, or the path of one."""


@dataclass(slots=True)
class FileUpload:
    """A file under a name; the services find out themselves what its bytes are."""

    filename: str
    content: Content
    content_type: str = "application/octet-stream"
    """Kept for programs that give it; what counts is what the bytes are."""


Upload = FileUpload | tuple[str, Content] | tuple[str, Content, str]


def normalize_file_upload(upload: Upload) -> FileUpload:
    """Make a FileUpload of a pair or a triple."""
    if isinstance(upload, FileUpload):
        return upload
    if isinstance(upload, tuple) and len(upload) in (2, 3):
        return FileUpload(*upload)
    raise TypeError("a file is a FileUpload, (name, content) or (name, content, content type)")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an upload's bytes are read from, again if the line breaks."""

    file: BinaryIO
    start: int | None
    """Where the bytes begin; None if the file cannot be read twice."""
    size: int
    """Bytes; 0 if nobody knows."""
    close: Callable[[], None]

    def rewind(self) -> None:
        """Begin anew."""
        if self.start is not None:
            self.file.seek(self.start)


def open_source(content: Content) -> Source:
    """Open what is to be uploaded; only what was opened here is closed."""
    if isinstance(content, bytes | bytearray):
        return Source(BytesIO(content), 0, len(content), lambda: None)
    if isinstance(content, os.PathLike):
        file = Path(content).open("rb")  # noqa: SIM115 # closed by whoever opens the source
        return Source(file, 0, os.fstat(file.fileno()).st_size, file.close)
    if not content.seekable():
        return Source(content, None, 0, lambda: None)
    start = content.tell()
    size = content.seek(0, os.SEEK_END) - start
    content.seek(start)
    return Source(content, start, size, lambda: None)


def read_whole(content: Content) -> bytes:
    """Read a file that travels inside a message."""
    source = open_source(content)
    try:
        return source.file.read()
    finally:
        source.close()
