"""Pure functions between providers' JSON and parts. Only they know a provider's words."""

from collections.abc import Callable, Mapping

from acontext_server.session.content import SOURCE_FORMAT, Content, Format, PartType
from acontext_server.session.formats import acontext, anthropic, gemini, openai
from acontext_server.session.formats.media import Fetched, Upload
from acontext_server.session.formats.reading import Field
from acontext_server.session.free_json import Json, JsonObject


def read(
    form: Format, blob: Json, uploads: Mapping[str, Upload], new_call_id: Callable[[], str]
) -> Content:
    """Make parts of a message in this format; `InvalidMessage` names what is wrong with it."""
    field = Field(blob, "blob")
    field.object()
    content = _read(form, field, uploads, new_call_id)
    if not content.parts:
        raise field.wrong("yields no part: a message needs at least one")
    source = text if isinstance(text := content.meta.get(SOURCE_FORMAT), str) else form.value
    meta = {**content.meta, SOURCE_FORMAT: source}
    return Content(content.role, content.parts, meta)


def _read(
    form: Format, blob: Field, uploads: Mapping[str, Upload], new_call_id: Callable[[], str]
) -> Content:
    match form:
        case Format.OPENAI:
            return openai.read(blob, uploads)
        case Format.ANTHROPIC:
            return anthropic.read(blob, uploads)
        case Format.GEMINI:
            return gemini.read(blob, uploads, new_call_id)
        case Format.ACONTEXT:
            return acontext.read(blob, uploads)


def write(
    form: Format, content: Content, fetched: Fetched, tools: Mapping[str, str]
) -> list[JsonObject]:
    """Make a provider's messages of one: several, one or none.

    `tools` names the tools of the session's calls by their ids. Our own form is more than
    content, so it is put together where the message's ids and state are known.
    """
    match form:
        case Format.OPENAI:
            return openai.write(content, fetched)
        case Format.ANTHROPIC:
            return anthropic.write(content, fetched)
        case Format.GEMINI:
            return gemini.write(content, fetched, tools)
        case Format.ACONTEXT:
            raise AssertionError("our own form is written with the message's state")


def needs_content(form: Format, content: Content, *, with_urls: bool) -> frozenset[str]:
    """Give the assets whose bytes this format shows, rather than a URL."""
    return frozenset(
        part.asset.sha256
        for part in content.parts
        if part.asset and _shows_bytes(form, part.type, with_urls=with_urls)
    )


def _shows_bytes(form: Format, kind: PartType, *, with_urls: bool) -> bool:
    match form:
        case Format.OPENAI:
            return kind in (PartType.AUDIO, PartType.FILE) or (
                kind is PartType.IMAGE and not with_urls
            )
        case Format.ANTHROPIC:
            return kind in (PartType.IMAGE, PartType.FILE)
        case Format.GEMINI:
            return True
        case Format.ACONTEXT:
            return False
