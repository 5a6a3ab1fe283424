"""Images, audio, video and files: where their bytes are, and how each kind is named."""

import base64
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit

from acontext_server.session.content import Asset, Part, PartType, text_or_none
from acontext_server.session.domain import MissingFile
from acontext_server.session.formats.reading import Field

MEDIA = (PartType.IMAGE, PartType.AUDIO, PartType.VIDEO, PartType.FILE)

_AUDIO_FORMATS = {"mpeg": "mp3", "mp3": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav"}
_AUDIO_MIMES = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a message."""

    asset: Asset
    filename: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the parts of a page need from Blobs, by sha256."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inline:
    """Media whose bytes are at hand."""

    mime: str
    base64: str

    @property
    def data_url(self) -> str:
        """Write the bytes as a URL."""
        return f"data:{self.mime};base64,{self.base64}"

    @property
    def text(self) -> str:
        """Read the bytes as text; what is not UTF-8 becomes U+FFFD, what is no base64 stays."""
        try:
            data = base64.b64decode("".join(self.base64.split()), validate=True)
        except ValueError:
            return self.base64
        return data.decode(errors="replace")

    @property
    def audio_format(self) -> str:
        """Name the format as providers do: `wav`, `mp3`."""
        subtype = self.mime.partition("/")[2]
        return _AUDIO_FORMATS.get(subtype, subtype)


@dataclass(frozen=True, slots=True)
class Remote:
    """Media that is only known by a URL. The server never fetches it."""

    url: str
    mime: str | None

    @property
    def on_web(self) -> bool:
        """Whether any client can open it."""
        return self.url.startswith(("http://", "https://"))


def uploaded(part: Field, uploads: Mapping[str, Upload]) -> Upload | None:
    """Find the upload that a part names; naming one that did not come is an error."""
    name = part.get("file_field").text_if_any()
    if not name:
        return None
    if name not in uploads:
        raise MissingFile(name)
    return uploads[name]


def kind_of(mime: str) -> PartType:
    """Say what kind of part holds bytes of this type."""
    kind = mime.partition("/")[0]
    return PartType(kind) if kind in ("image", "audio", "video") else PartType.FILE


def locate(part: Part, fetched: Fetched) -> Inline | Remote | None:
    """Find a part's bytes or its URL, in whatever format it came."""
    if part.asset:
        return _asset(part.asset, fetched)
    return _inline(part) or _remote(part)


def _asset(asset: Asset, fetched: Fetched) -> Inline | None:
    content = fetched.contents.get(asset.sha256)
    if content is None:
        return None
    return Inline(asset.mime.partition(";")[0], base64.b64encode(content).decode())


def _inline(part: Part) -> Inline | None:
    meta = part.meta
    data, mime = text_or_none(meta.get("data")), text_or_none(meta.get("media_type"))
    if data and mime and meta.get("type") == "text":
        return Inline(mime, base64.b64encode(data.encode()).decode())
    if data and mime:
        return Inline(mime, data)
    if data and (audio := text_or_none(meta.get("format"))):
        return Inline(_AUDIO_MIMES.get(audio, f"audio/{audio}"), data)
    return _from_data_url(part)


def _from_data_url(part: Part) -> Inline | None:
    url = text_or_none(part.meta.get("url"))
    data = text_or_none(part.meta.get("file_data"))
    if url and url.startswith("data:"):
        return read_data_url(url)
    if data and data.startswith("data:"):
        return read_data_url(data)
    return Inline(_guessed(part.meta.get("filename")), data) if data else None


def _guessed(filename: object) -> str:
    mime = mimetypes.guess_type(filename)[0] if isinstance(filename, str) else None
    return mime or "application/octet-stream"


def read_data_url(url: str) -> Inline | None:
    """Take a `data:` URL apart; None if it is not one."""
    head, comma, data = url.removeprefix("data:").partition(",")
    mime = head.partition(";")[0]
    if not comma:
        return None
    if head.endswith(";base64"):
        return Inline(mime or "text/plain", data)
    return Inline(mime or "text/plain", base64.b64encode(unquote_to_bytes(data)).decode())


def _remote(part: Part) -> Remote | None:
    url = text_or_none(part.meta.get("url"))
    if not url:
        return None
    mime = text_or_none(part.meta.get("media_type"))
    return Remote(url, mime or _guessed_of(url))


def _guessed_of(url: str) -> str | None:
    try:
        return mimetypes.guess_type(urlsplit(url).path)[0]
    except ValueError:  # it is kept as it came, also if it is no URL
        return None
