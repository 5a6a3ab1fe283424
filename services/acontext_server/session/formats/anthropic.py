"""Between Anthropic's messages and parts."""

from collections.abc import Callable, Iterator, Mapping

from acontext_server.session.content import (
    SOURCE_FORMAT,
    Content,
    Part,
    PartType,
    Role,
)
from acontext_server.session.formats.media import Fetched, Inline, Remote, Upload, locate, uploaded
from acontext_server.session.formats.reading import Field, object_of, without_nothing
from acontext_server.session.free_json import Json, JsonObject, dump

_ROLES = ("user", "assistant")
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "base64": ("media_type", "data"),
    "text": ("media_type", "data"),
    "url": ("url",),
    "file": ("file_id",),
}


def read(blob: Field, uploads: Mapping[str, Upload]) -> Content:
    """Take a message, or a reply object, apart."""
    role = Role(blob.get("role").one_of(_ROLES))
    content = blob.get("content")
    if not content.here:
        raise content.wrong("is required")
    if isinstance(content.value, str):
        parts = [Part(type=PartType.TEXT, text=content.value)]
    else:
        parts = [read_block(block, uploads) for block in content.items()]
    return Content(role=role, parts=tuple(parts), meta={})


def read_block(block: Field, uploads: Mapping[str, Upload]) -> Part:
    """Take one block of a message's content."""
    block.object()
    kind = block.get("type").one_of(tuple(_READERS))
    part = _READERS[kind](block, uploads)
    if (cache := block.get("cache_control")).here:
        return part._replace(meta={**part.meta, "cache_control": cache.value})
    return part


def _text(block: Field, uploads: Mapping[str, Upload]) -> Part:
    return Part(type=PartType.TEXT, text=block.get("text").text())


def _image(block: Field, uploads: Mapping[str, Upload]) -> Part:
    return _media(PartType.IMAGE, block, uploads)


def _document(block: Field, uploads: Mapping[str, Upload]) -> Part:
    return _media(PartType.FILE, block, uploads)


def _media(kind: PartType, block: Field, uploads: Mapping[str, Upload]) -> Part:
    if upload := uploaded(block, uploads):
        return Part(type=kind, asset=upload.asset, filename=upload.filename)
    source = block.get("source")
    source.object()
    type_ = source.get("type").one_of(tuple(_SOURCES))
    fields: JsonObject = {name: source.get(name).filled() for name in _SOURCES[type_]}
    return Part(type=kind, meta={"type": type_, **fields})


def _tool_use(block: Field, uploads: Mapping[str, Upload]) -> Part:
    given = block.get("input")
    arguments = dump(given.object() if given.here else {})
    meta: JsonObject = {"id": block.get("id").filled(), "name": block.get("name").filled()}
    meta |= {"arguments": arguments, "type": "tool_use"}
    return Part(type=PartType.TOOL_CALL, meta=meta)


def _tool_result(block: Field, uploads: Mapping[str, Upload]) -> Part:
    error = block.get("is_error")
    if error.here and not isinstance(error.value, bool):
        raise error.wrong("must be true or false")
    call_id = block.get("tool_use_id").filled()
    meta: JsonObject = {"tool_call_id": call_id, "is_error": bool(error.value)}
    content = block.get("content")
    if isinstance(content.value, str):
        return Part(type=PartType.TOOL_RESULT, text=content.value, meta=meta)
    texts = list(_result_texts(content))
    if isinstance(content.value, list) and len(texts) < len(content.value):
        meta["content"] = content.value
    return Part(type=PartType.TOOL_RESULT, text="".join(texts), meta=meta)


def _result_texts(content: Field) -> Iterator[str]:
    for item in content.items():
        item.object()
        if item.get("type").filled() == "text":
            yield item.get("text").text()


def _thinking(block: Field, uploads: Mapping[str, Upload]) -> Part:
    meta = without_nothing(signature=block.get("signature").text_if_any())
    return Part(type=PartType.THINKING, text=block.get("thinking").text(), meta=meta)


def _redacted(block: Field, uploads: Mapping[str, Upload]) -> Part:
    return Part(type=PartType.REDACTED_THINKING, meta={"data": block.get("data").filled()})


_READERS: Mapping[str, Callable[[Field, Mapping[str, Upload]], Part]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}


def write(content: Content, fetched: Fetched) -> list[JsonObject]:
    """Put a message together; system and developer become user."""
    verbatim = content.meta.get(SOURCE_FORMAT) == "anthropic"
    blocks: list[Json] = []
    for part in content.parts:
        if block := _written(part, fetched, verbatim=verbatim):
            cache = part.meta.get("cache_control")
            blocks.append(block | without_nothing(cache_control=cache))
    role = "assistant" if content.role is Role.ASSISTANT else "user"
    return [{"role": role, "content": blocks}] if blocks else []


def _written(part: Part, fetched: Fetched, *, verbatim: bool) -> JsonObject | None:
    match part.type:
        case PartType.TEXT:
            return {"type": "text", "text": part.text} if part.text else None
        case PartType.IMAGE:
            return _written_image(part, fetched, verbatim=verbatim)
        case PartType.FILE:
            return _written_document(part, fetched, verbatim=verbatim)
        case PartType.TOOL_CALL:
            return _written_call(part)
        case PartType.TOOL_RESULT:
            return _written_result(part)
        case PartType.THINKING:
            signature = part.meta.get("signature")
            thinking = without_nothing(signature=signature)
            return {"type": "thinking", "thinking": part.text or "", **thinking}
        case PartType.REDACTED_THINKING:
            return {"type": "redacted_thinking", "data": part.meta.get("data") or ""}
        case _:
            return None


def _written_image(part: Part, fetched: Fetched, *, verbatim: bool) -> JsonObject | None:
    if verbatim and not part.asset:
        return {"type": "image", "source": _source(part)}
    match locate(part, fetched):
        case Inline() as inline:
            return {"type": "image", "source": _base64(inline)}
        case Remote(on_web=True, url=url):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case _:
            return None


def _source(part: Part) -> JsonObject:
    return {name: value for name, value in part.meta.items() if name != "cache_control"}


def _written_document(part: Part, fetched: Fetched, *, verbatim: bool) -> JsonObject | None:
    if verbatim and not part.asset:
        return {"type": "document", "source": _source(part)}
    match locate(part, fetched):
        case Inline(mime="application/pdf") as inline:
            return {"type": "document", "source": _base64(inline)}
        case Inline(mime=mime) as inline if mime.startswith("text/"):
            plain: JsonObject = {"type": "text", "media_type": "text/plain", "data": inline.text}
            return {"type": "document", "source": plain}
        case Remote(on_web=True, url=url):
            return {"type": "document", "source": {"type": "url", "url": url}}
        case _:
            return None


def _base64(inline: Inline) -> JsonObject:
    return {"type": "base64", "media_type": inline.mime, "data": inline.base64}


def _written_call(part: Part) -> JsonObject | None:
    if not part.call_id:
        return None
    arguments = object_of(part.meta.get("arguments"))
    return {"type": "tool_use", "id": part.call_id, "name": part.tool or "", "input": arguments}


def _written_result(part: Part) -> JsonObject | None:
    if not part.call_id:
        return None
    content = part.meta.get("content")
    given = content if isinstance(content, list) else part.text or None
    head: JsonObject = {"type": "tool_result", "tool_use_id": part.call_id}
    return {**head, "is_error": part.meta.get("is_error") is True, **without_nothing(content=given)}
