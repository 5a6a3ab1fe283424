"""Bodies of messages as they come through the three doors: typed, JSON, multipart."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from acontext.session import v1 as pb
from acontext_server.kit.blobs import Blobs
from acontext_server.kit.errors import InvalidRequest, TooLarge
from acontext_server.kit.multipart import FormLimits, read_form
from acontext_server.session.app.storing import NewFile, StoreRequest
from acontext_server.session.content import Format
from acontext_server.session.convert import read_id
from acontext_server.session.domain import SessionId
from acontext_server.session.formats.reading import Field
from acontext_server.session.free_json import InvalidJson, Json, parse

MAX_BODY_BYTES = 32 << 20
LIMITS = FormLimits(
    body_bytes=MAX_BODY_BYTES, file_bytes=MAX_BODY_BYTES, field_bytes=MAX_BODY_BYTES
)


def read_typed(request: pb.StoreMessageRequest, files: dict[str, NewFile]) -> StoreRequest:
    """Read a typed request."""
    return StoreRequest(
        session_id=_session_id(request.session_id),
        form=_form(request.format if request.HasField("format") else None),
        blob=_parsed(request.blob_json, "blob_json"),
        files=files,
        request_id=_request_id(request.request_id if request.HasField("request_id") else None),
        size=len(request.blob_json),
    )


@asynccontextmanager
async def read_files(
    request: pb.StoreMessageRequest, blobs: Blobs
) -> AsyncIterator[dict[str, NewFile]]:
    """Read the files of a typed request; leaving forgets those that were not kept."""
    async with AsyncExitStack() as spools:
        files: dict[str, NewFile] = {}
        for file in request.files:
            spool = await spools.enter_async_context(blobs.spool())
            await spool.write(file.content)
            files[file.field] = NewFile(filename=_last(file.filename), spool=spool)
        yield files


def read_json(session_id: str, body: bytes, files: dict[str, NewFile]) -> StoreRequest:
    """Read `{"format", "blob", "request_id"?}`; no body means an empty object."""
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge("the body", MAX_BODY_BYTES)
    document = Field(_parsed(body or b"{}", "the body"), "the body", InvalidRequest.of)
    members = document.object()
    return StoreRequest(
        session_id=_session_id(session_id),
        form=_form(members.get("format")),
        blob=members.get("blob"),
        files=files,
        request_id=_request_id(members.get("request_id")),
        size=len(body),
    )


@asynccontextmanager
async def read_multipart(
    pieces: AsyncIterator[pb.StoreMessageMultipartRequest], blobs: Blobs
) -> AsyncIterator[StoreRequest]:
    """Read a form with the field `payload` and files; leaving forgets what was not kept."""
    first = await anext(pieces, None)
    if first is None:
        raise InvalidRequest.of("body", "is required")
    chunks = _chunks(first, pieces)
    async with read_form(first.body.content_type, chunks, spool=blobs.spool, limits=LIMITS) as form:
        if "payload" not in form.fields:
            raise InvalidRequest.of("payload", "is required: a text field with the message")
        files = {
            name: NewFile(filename=file.filename, spool=file.spool)
            for name, file in form.files.items()
        }
        yield read_json(first.session_id, form.fields["payload"].encode(), files)


async def _chunks(
    first: pb.StoreMessageMultipartRequest,
    rest: AsyncIterator[pb.StoreMessageMultipartRequest],
) -> AsyncIterator[bytes]:
    yield first.body.data
    async for piece in rest:
        yield piece.body.data


_FORMS = tuple(form.value for form in Format)


def _parsed(raw: bytes, field: str) -> Json:
    try:
        return parse(raw)
    except InvalidJson as error:
        raise InvalidRequest.of(field, str(error)) from error


def _form(name: Json) -> Format:
    if name is None:
        return Format.OPENAI
    return Format(Field(name, "format", InvalidRequest.of).one_of(_FORMS))


def _session_id(text: str) -> SessionId:
    return SessionId(read_id(text, "session_id"))


def _request_id(given: Json) -> UUID | None:
    if given is None:
        return None
    return read_id(Field(given, "request_id", InvalidRequest.of).text(), "request_id")


def _last(filename: str) -> str:
    return filename.rpartition("/")[2]
