"""Forms with files, read from a stream of raw body chunks that is cut anywhere."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message

from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from acontext_server.kit.blobs import Spool
from acontext_server.kit.errors import Kind, ServiceError, TooLarge


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """What a form may weigh."""

    body_bytes: int
    """Everything between the first byte and the last, boundaries included."""
    file_bytes: int
    """Each file."""
    field_bytes: int
    """Each text field, which is held in memory."""
    parts: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """An upload, spooled; its name has no directories and may be empty."""

    filename: str
    spool: Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was sent, by part name. A part with a file name is a file, any other is text."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, FormFile] = field(default_factory=dict)


class BrokenForm(ServiceError):
    """The body is not the multipart form that its content type promises."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_REQUEST"

    def __init__(self, rule: str) -> None:
        super().__init__(f"broken multipart body: {rule}")


@asynccontextmanager
async def read_form(
    content_type: str,
    body: AsyncIterator[bytes],
    *,
    spool: Callable[[], Spool],
    limits: FormLimits,
) -> AsyncIterator[Form]:
    """Read a `multipart/form-data` body to its end; leaving removes the spooled files.

    Raises `BrokenForm` and `TooLarge`. Of a form that fails, the rest of the body is
    still read up to the limit of a body and thrown away, because clients that are cut off
    while they send see a broken connection instead of the answer.
    """
    async with AsyncExitStack() as spools:
        reader = _FormReader(content_type, spool, limits, spools)
        try:
            await reader.read(body)
        except ServiceError:
            await _drain(body, limits.body_bytes)
            raise
        yield reader.form


class _FormReader:
    """Puts the events of the push parser together."""

    def __init__(
        self,
        content_type: str,
        spool: Callable[[], Spool],
        limits: FormLimits,
        spools: AsyncExitStack,
    ) -> None:
        self.form = Form()
        self._content_type = content_type
        self._spool = spool
        self._limits = limits
        self._spools = spools
        self._name = ""
        self._text = bytearray()
        self._file: FormFile | None = None

    async def read(self, body: AsyncIterator[bytes]) -> None:
        parser = _parser(self._content_type, self._limits.parts)
        received = 0
        async for chunk in body:
            received += len(chunk)
            if received > self._limits.body_bytes:
                raise TooLarge("the body", self._limits.body_bytes)
            if chunk:
                await self._parse(parser, chunk)
        await self._parse(parser, b"")

    async def _parse(self, parser: PushMultipartParser, chunk: bytes) -> None:
        try:
            for event in parser.parse(chunk):
                if isinstance(event, MultipartSegment):
                    await self._begin(event)
                elif event is None:
                    self._end()
                else:
                    await self._append(event)
        except MultipartError as error:
            raise BrokenForm(str(error.args[0])) from error

    async def _begin(self, segment: MultipartSegment) -> None:
        self._name = segment.name or ""
        if self._name in self.form.fields or self._name in self.form.files:
            raise BrokenForm(f"the part {self._name} is there twice")
        filename = _filename(segment)
        if filename is None:
            self._text.clear()
            self._file = None
        else:
            spool = await self._spools.enter_async_context(self._spool())
            self._file = FormFile(filename=filename, spool=spool)

    async def _append(self, chunk: bytes) -> None:
        if self._file is None:
            self._text += chunk
            if len(self._text) > self._limits.field_bytes:
                raise TooLarge(f"the field {self._name}", self._limits.field_bytes)
        else:
            await self._file.spool.write(chunk)
            if self._file.spool.size > self._limits.file_bytes:
                raise TooLarge(f"the file {self._name}", self._limits.file_bytes)

    def _end(self) -> None:
        if self._file is not None:
            self.form.files[self._name] = self._file
            return
        try:
            self.form.fields[self._name] = self._text.decode()
        except UnicodeDecodeError:
            raise BrokenForm(f"the field {self._name} is not UTF-8") from None


def _parser(content_type: str, parts: int) -> PushMultipartParser:
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise BrokenForm("the content type must be multipart/form-data")
    try:
        return PushMultipartParser(options.get("boundary", ""), max_segment_count=parts)
    except MultipartError as error:
        raise BrokenForm(str(error.args[0])) from error


def _filename(segment: MultipartSegment) -> str | None:
    # The parser does not know `filename*` (RFC 5987), the standard library's e-mail does.
    header = Message()
    header["Content-Disposition"] = segment.header("Content-Disposition")
    name = segment.filename
    for key, value in header.get_params(failobj=[], header="Content-Disposition"):
        if key == "filename" and isinstance(value, tuple):
            name = _decoded(value)
    return None if name is None else name.rpartition("/")[2]


def _decoded(value: tuple[str | None, str | None, str]) -> str:
    try:
        return value[2].encode("latin-1").decode(value[0] or "utf-8")
    except (LookupError, UnicodeError):
        raise BrokenForm("a filename* cannot be decoded") from None


async def _drain(body: AsyncIterator[bytes], limit: int) -> None:
    async for chunk in body:
        limit -= len(chunk)
        if limit < 0:
            return
