"""Uploads: a head and its bytes, or a multipart form, each cut into pieces."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from acontext.disk import v1 as pb
from acontext_server.disk import paths
from acontext_server.disk.app import Upload
from acontext_server.disk.domain import DiskId, InvalidUpload, Meta, read_meta
from acontext_server.disk.wire.messages import id_of, meta_from_proto
from acontext_server.kit.blobs import Spool
from acontext_server.kit.errors import TooLarge
from acontext_server.kit.multipart import BrokenForm, Form, FormLimits, read_form

LARGEST_FILE = 16 * 1024 * 1024
"""Of a form that does not ask for more."""
_REST = 16 * 1024 * 1024
"""What a form may weigh without its file."""

Pieces = AsyncIterator[pb.UploadArtifactRequest]
FormPieces = AsyncIterator[pb.UploadArtifactMultipartRequest]
MakeSpool = Callable[[], Spool]


async def head_of(pieces: Pieces) -> tuple[DiskId, pb.UploadHead]:
    """Take the head, which comes first."""
    first = await anext(pieces, None)
    if first is None or first.WhichOneof("data") != "head":
        raise InvalidUpload("head", "must come first")
    return DiskId(id_of(first.head.disk_id, "head.disk_id")), first.head


@asynccontextmanager
async def read_pieces(
    disk_id: DiskId, head: pb.UploadHead, pieces: Pieces, *, spool: MakeSpool, limit: int
) -> AsyncIterator[Upload]:
    """Read the bytes that follow a head; leaving removes them."""
    location = paths.location(head.file_path)
    meta = meta_from_proto(head.meta) if head.HasField("meta") else None
    async with spool() as incoming:
        async for piece in pieces:
            if piece.WhichOneof("data") != "chunk":
                raise InvalidUpload("chunk", "must follow the head")
            if incoming.size + len(piece.chunk) > limit:
                raise TooLarge("the artifact", limit)
            await incoming.write(piece.chunk)
        yield Upload(disk_id=disk_id, location=location, spool=incoming, meta=meta)


@asynccontextmanager
async def read_multipart(
    pieces: FormPieces, *, spool: MakeSpool, limit: int
) -> AsyncIterator[Upload]:
    """Read a form with the file, its directory and its meta; leaving removes the file.

    The limit is for forms that ask for it.
    """
    first = await anext(pieces, None)
    if first is None:
        raise InvalidUpload("file", "is required")
    disk_id = DiskId(id_of(first.disk_id, "disk_id"))
    largest = limit if first.any_size else LARGEST_FILE
    limits = FormLimits(body_bytes=largest + _REST, file_bytes=largest, field_bytes=1024 * 1024)
    body = _bytes_of(first, pieces)
    try:
        async with read_form(first.body.content_type, body, spool=spool, limits=limits) as form:
            yield _upload(disk_id, form)
    except BrokenForm as error:
        raise InvalidUpload("body", error.message) from error


async def _bytes_of(
    first: pb.UploadArtifactMultipartRequest, rest: FormPieces
) -> AsyncIterator[bytes]:
    yield first.body.data
    async for piece in rest:
        yield piece.body.data


def _upload(disk_id: DiskId, form: Form) -> Upload:
    file = form.files.get("file")
    if file is None:
        raise InvalidUpload("file", "is required")
    location = paths.upload_location(form.fields.get("file_path", "/"), file.filename)
    return Upload(disk_id=disk_id, location=location, spool=file.spool, meta=_meta(form))


def _meta(form: Form) -> Meta | None:
    text = form.fields.get("meta")
    return read_meta(text) if text else None
