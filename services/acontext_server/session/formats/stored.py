"""The stored form of a message's content: one protobuf whose free JSON is bytes.

Texts and metas that are too long for a row are cut out as blobs, and put back on reading.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from google.protobuf.message import DecodeError

from acontext.session import v1 as pb
from acontext_server.session.content import Asset, Content, Part, PartType, Role
from acontext_server.session.domain import MAX_INLINE_BYTES
from acontext_server.session.free_json import JsonObject, encode, load

MessageContent: TypeAlias = pb.MessageContent

UNREADABLE = (DecodeError, ValueError)
"""What is raised where kept bytes are damaged."""


class Packed(NamedTuple):
    """Content as it is kept: the row's bytes, and what is kept beside them by sha256."""

    row: bytes
    size: int
    """Bytes of everything that reading puts into an answer, uploads not counted."""
    beside: Mapping[str, bytes] = MappingProxyType({})


def pack(content: Content) -> Packed:
    """Make the stored form."""
    beside: dict[str, bytes] = {}
    packed = pb.MessageContent(meta_json=encode(content.meta))
    for part in content.parts:
        _pack_part(part, packed.parts.add(type=part.type, filename=part.filename), beside)
    row = packed.SerializeToString()
    return Packed(row, len(row) + sum(map(len, beside.values())), beside)


def _pack_part(part: Part, packed: pb.ContentPart, beside: dict[str, bytes]) -> None:
    if part.asset:
        packed.asset.CopyFrom(to_asset(part.asset))
    if part.text is not None:
        raw = part.text.encode()
        if len(raw) > MAX_INLINE_BYTES:
            packed.text_blob.CopyFrom(_set_aside(raw, "text/plain; charset=utf-8", beside))
        else:
            packed.text = part.text
    if part.meta:
        raw = encode(part.meta)
        if len(raw) > MAX_INLINE_BYTES:
            packed.meta_blob.CopyFrom(_set_aside(raw, "application/json", beside))
            packed.meta_json = encode(_names_only(part.meta))
        else:
            packed.meta_json = raw


def _names_only(meta: JsonObject) -> JsonObject:
    # Open calls are looked for in rows alone.
    names = ("id", "name", "tool_call_id", "function_name")
    return {name: meta[name] for name in names if name in meta and len(str(meta[name])) < 1000}


def _set_aside(raw: bytes, mime: str, beside: dict[str, bytes]) -> pb.Asset:
    sha256 = hashlib.sha256(raw).hexdigest()
    beside[sha256] = raw
    return pb.Asset(sha256=sha256, mime=mime, size_b=len(raw))


def unpack_proto(row: bytes) -> pb.MessageContent:
    """Read the row's bytes, leaving blobs where they are."""
    return pb.MessageContent.FromString(row)


def set_aside(content: pb.MessageContent) -> Iterator[str]:
    """Name the blobs that `put_back()` needs."""
    for part in content.parts:
        if part.HasField("text_blob"):
            yield part.text_blob.sha256
        if part.HasField("meta_blob"):
            yield part.meta_blob.sha256


def put_back(content: pb.MessageContent, fetch: Callable[[str], bytes]) -> None:
    """Fill in what was kept beside the row."""
    for part in content.parts:
        if part.HasField("text_blob"):
            part.text = fetch(part.text_blob.sha256).decode()
        if part.HasField("meta_blob"):
            part.meta_json = fetch(part.meta_blob.sha256)


def unpack(role: Role, content: pb.MessageContent) -> Content:
    """Make content of the stored form, after `put_back()`."""
    parts = [_part(part) for part in content.parts]
    return Content(role=role, parts=tuple(parts), meta=_object(content.meta_json))


_REMEMBERED_ROWS = 4096
_REMEMBERED_BYTES = 2048


def read_row(role: Role, row: bytes) -> Content:
    """Make content of a row that is whole."""
    if len(row) > _REMEMBERED_BYTES:
        return unpack(role, unpack_proto(row))
    return _read_short_row(role, row)


# What agents read is the end of their conversation, turn after turn: nearly all of it was read in
# the turn before.
@lru_cache(_REMEMBERED_ROWS)
def _read_short_row(role: Role, row: bytes) -> Content:
    return unpack(role, unpack_proto(row))


def readable(rows: Iterable[tuple[Role, bytes]]) -> Iterator[Content]:
    """Unpack what can be read without blobs; a damaged row is passed over."""
    for role, row in rows:
        try:
            yield read_row(role, row)
        except UNREADABLE:
            continue


def _part(part: pb.ContentPart) -> Part:
    return Part(
        type=PartType(part.type),
        text=part.text if part.HasField("text") else None,
        meta=_object(part.meta_json),
        asset=from_asset(part.asset) if part.HasField("asset") else None,
        filename=part.filename if part.HasField("filename") else None,
    )


def _object(raw: bytes) -> JsonObject:
    # Only objects are ever packed.
    return cast("JsonObject", load(raw)) if raw else {}


def to_asset(asset: Asset) -> pb.Asset:
    """Put an asset into its message."""
    return pb.Asset(
        bucket=asset.bucket,
        s3_key=asset.s3_key,
        etag=asset.etag,
        sha256=asset.sha256,
        mime=asset.mime,
        size_b=asset.size_b,
    )


def from_asset(asset: pb.Asset) -> Asset:
    """Take an asset out of its message."""
    return Asset(
        bucket=asset.bucket,
        s3_key=asset.s3_key,
        etag=asset.etag,
        sha256=asset.sha256,
        mime=asset.mime,
        size_b=asset.size_b,
    )
