"""Downloads: which bytes were asked for, and what HTTP is told of them."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from acontext.disk import v1 as pb
from acontext_server.disk.ranges import Span, span_of, span_of_header, whole

_LARGEST = 2**62
_MARKUP = ("text/html", "text/xml", "image/svg+xml", "application/xhtml+xml")

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which bytes are to be sent, and whether HTTP's Range header said so."""

    span: Span
    is_range: bool

    @classmethod
    def by_header(cls, header: str | None, size: int) -> Self:
        """Read the Range header; all bytes without one."""
        span = span_of_header(header or "", size)
        return cls(span=span or whole(size), is_range=span is not None)

    @classmethod
    def by_request(cls, request: pb.DownloadArtifactRequest, size: int) -> Self:
        """Read which bytes a request names; all without."""
        length = _whole_number(request.length) if request.HasField("length") else None
        span = span_of(size, offset=_whole_number(request.offset), length=length)
        return cls(span=span, is_range=False)


def headers_of(asked: Asked, *, sha256: str, mime: str, filename: str | None) -> Metadata:
    """Say of what is sent what the gateway makes status and headers of."""
    headers = [
        ("x-acontext-content-length", str(asked.span.length)),
        ("accept-ranges", "bytes"),
        ("etag", f'"{sha256}"'),
        ("x-content-type-options", "nosniff"),
    ]
    if asked.is_range:
        headers += [("x-acontext-status", "206"), ("content-range", asked.span.content_range)]
    if filename:
        headers += [("content-disposition", f"inline; filename*=UTF-8''{quote(filename)}")]
    if mime.startswith(_MARKUP):
        # Pages that users stored must not act as pages of the gateway's own address.
        headers += [("content-security-policy", "sandbox")]
    return tuple(headers)


def _whole_number(number: float) -> int:
    return int(min(number, _LARGEST))
