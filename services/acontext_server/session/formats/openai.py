"""Between OpenAI's chat messages and parts."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from acontext_server.session.content import Content, Part, PartType, Role, text_or_none
from acontext_server.session.formats import anthropic
from acontext_server.session.formats.media import Fetched, Inline, Remote, Upload, locate, uploaded
from acontext_server.session.formats.reading import Field, without_nothing
from acontext_server.session.free_json import Json, JsonObject, dump

_SPEAKERS = {role.value: role for role in Role}
_ROLES = (*_SPEAKERS, "tool", "function")
_ANTHROPIC_BLOCKS = ("tool_use", "thinking", "redacted_thinking")


def read(blob: Field, uploads: Mapping[str, Upload]) -> Content:
    """Take a chat message, or a provider's reply object, apart."""
    if said := _plain(blob.object()):
        return said
    role = blob.get("role").one_of(_ROLES)
    match role:
        case "assistant":
            parts = tuple(_assistant(blob))
        case "tool" | "function":
            parts = (_result(blob, role),)
        case _:
            parts = tuple(_spoken(blob, role, uploads))
    name = None if role == "function" else blob.get("name").text_if_any()
    return Content(
        role=_SPEAKERS.get(role, Role.USER),
        parts=parts,
        meta=without_nothing(name=name or None),
    )


def _plain(message: JsonObject) -> Content | None:
    """Take a role and a text: most of what is said, and quickly read."""
    role, text = message.get("role"), message.get("content")
    if len(message) != 2 or not (isinstance(role, str) and isinstance(text, str) and text):
        return None
    speaker = _SPEAKERS.get(role)
    return Content(speaker, (Part(PartType.TEXT, text),), {}) if speaker else None


def _spoken(blob: Field, role: str, uploads: Mapping[str, Upload]) -> Iterator[Part]:
    content = blob.get("content")
    if not content.here:
        raise content.wrong("is required")
    if isinstance(content.value, str):
        yield Part(type=PartType.TEXT, text=content.value)
        return
    read_part = _user_part if role == "user" else _text_part
    for part in content.items():
        yield read_part(part, uploads)


def _text_part(part: Field, uploads: Mapping[str, Upload]) -> Part:
    part.object()
    part.get("type").one_of(["text"])
    return Part(type=PartType.TEXT, text=part.get("text").text())


def _user_part(part: Field, uploads: Mapping[str, Upload]) -> Part:
    part.object()
    kind = part.get("type").one_of(["text", *_MEDIA])
    if kind == "text":
        return _text_part(part, uploads)
    type_, read_meta = _MEDIA[kind]
    if upload := uploaded(part, uploads):
        return Part(type=type_, asset=upload.asset, filename=upload.filename)
    return Part(type=type_, meta=read_meta(part.get(kind)))


def _image(image: Field) -> JsonObject:
    image.object()
    return without_nothing(url=image.get("url").filled(), detail=image.get("detail").text_if_any())


def _audio(audio: Field) -> JsonObject:
    audio.object()
    return {"data": audio.get("data").filled(), "format": audio.get("format").filled()}


def _file(file: Field) -> JsonObject:
    file.object()
    names = ("file_id", "file_data", "filename")
    meta = without_nothing(**{name: file.get(name).text_if_any() for name in names})
    if not meta:
        raise file.wrong("needs file_id or file_data")
    return meta


_MEDIA: Mapping[str, tuple[PartType, Callable[[Field], JsonObject]]] = {
    "image_url": (PartType.IMAGE, _image),
    "input_audio": (PartType.AUDIO, _audio),
    "file": (PartType.FILE, _file),
}


def _assistant(blob: Field) -> Iterator[Part]:
    content = blob.get("content")
    if isinstance(content.value, str):
        if content.value:
            yield Part(type=PartType.TEXT, text=content.value)
    else:
        yield from map(_assistant_part, content.items())
    if refusal := blob.get("refusal").text_if_any():
        yield _refusal(refusal)
    yield from map(_call, blob.get("tool_calls").items())
    if (call := blob.get("function_call")).here:
        yield _legacy_call(call)


def _assistant_part(part: Field) -> Part:
    part.object()
    kind = part.get("type").one_of(["text", "refusal", *_ANTHROPIC_BLOCKS])
    if kind in _ANTHROPIC_BLOCKS:
        return anthropic.read_block(part, {})
    if kind == "refusal":
        return _refusal(part.get("refusal").text())
    return Part(type=PartType.TEXT, text=part.get("text").text())


def _refusal(text: str) -> Part:
    return Part(type=PartType.TEXT, text=text, meta={"is_refusal": True})


def _call(call: Field) -> Part:
    call.object()
    kind = call.get("type").one_of(["function", "custom"]) if call.get("type").here else "function"
    tool = call.get(kind)
    tool.object()
    arguments = tool.get("arguments" if kind == "function" else "input").text()
    meta = without_nothing(id=call.get("id").text_if_any() or None, name=tool.get("name").filled())
    return Part(type=PartType.TOOL_CALL, meta={**meta, "arguments": arguments, "type": kind})


def _legacy_call(call: Field) -> Part:
    call.object()
    meta: JsonObject = {
        "name": call.get("name").filled(),
        "arguments": call.get("arguments").text(),
    }
    return Part(type=PartType.TOOL_CALL, meta={**meta, "type": "function"})


def _result(blob: Field, role: str) -> Part:
    content = blob.get("content")
    text = content.value if isinstance(content.value, str) else _joined(content)
    if role == "tool":
        meta: JsonObject = {"tool_call_id": blob.get("tool_call_id").filled()}
    else:
        meta = {"function_name": blob.get("name").filled()}
    return Part(type=PartType.TOOL_RESULT, text=text, meta=meta)


def _joined(content: Field) -> str:
    if not content.here:
        raise content.wrong("is required")
    return "".join(_text_part(part, {}).text or "" for part in content.items())


def write(content: Content, fetched: Fetched) -> list[JsonObject]:
    """Put a message together as chat messages: each tool result is one of its own, first."""
    name = text_or_none(content.meta.get("name"))
    if not name and content.role is not Role.ASSISTANT and len(content.parts) == 1:
        [part] = content.parts
        if part.type is PartType.TEXT:  # most of what is said, and quickly written
            return [{"role": content.role.value, "content": part.text or ""}]
    messages = [_written_result(part, name) for part in content.parts if _answers(part)]
    rest = [part for part in content.parts if part.type is not PartType.TOOL_RESULT]
    if content.role is Role.ASSISTANT:
        body = _written_assistant(rest)
    else:
        body = _written_spoken(rest, fetched, media=content.role is Role.USER)
    if body:
        messages.append(without_nothing(role=content.role.value, name=name, **body))
    return messages


def _answers(part: Part) -> bool:
    return part.type is PartType.TOOL_RESULT and bool(part.call_id or part.tool)


def _written_result(part: Part, name: str | None) -> JsonObject:
    text = part.text or ""
    if part.call_id:
        head = without_nothing(role="tool", tool_call_id=part.call_id, name=name)
        return {**head, "content": text}
    return {"role": "function", "name": part.tool, "content": text}


def _written_spoken(parts: Sequence[Part], fetched: Fetched, *, media: bool) -> JsonObject:
    if len(parts) == 1 and parts[0].type is PartType.TEXT:
        return {"content": parts[0].text or ""}
    written = (_written_part(part, fetched, media=media) for part in parts)
    items: list[Json] = [item for item in written if item]
    return {"content": items} if items else {}


def _written_part(part: Part, fetched: Fetched, *, media: bool) -> JsonObject | None:
    if part.type is PartType.TEXT:
        return {"type": "text", "text": part.text or ""}
    if not media:
        return None
    match part.type:
        case PartType.IMAGE:
            return _written_image(part, fetched)
        case PartType.AUDIO:
            return _written_audio(part, fetched)
        case PartType.FILE:
            return _written_file(part, fetched)
        case _:
            return None


def _written_image(part: Part, fetched: Fetched) -> JsonObject | None:
    url = _image_url(part, fetched)
    detail = text_or_none(part.meta.get("detail"))
    image = without_nothing(url=url, detail=detail)
    return {"type": "image_url", "image_url": image} if url else None


def _image_url(part: Part, fetched: Fetched) -> str | None:
    if part.asset and part.asset.sha256 in fetched.urls:
        return fetched.urls[part.asset.sha256]
    given = text_or_none(part.meta.get("url"))
    if given and given.startswith("data:"):
        return given
    match locate(part, fetched):
        case Inline() as inline:
            return inline.data_url
        case Remote(on_web=True, url=url):
            return url
        case _:
            return None


def _written_audio(part: Part, fetched: Fetched) -> JsonObject | None:
    audio = locate(part, fetched)
    if not isinstance(audio, Inline):
        return None
    body: JsonObject = {"data": audio.base64, "format": audio.audio_format}
    if given := text_or_none(part.meta.get("format")):
        body["format"] = given
    return {"type": "input_audio", "input_audio": body}


def _written_file(part: Part, fetched: Fetched) -> JsonObject | None:
    given = {name: part.meta.get(name) for name in ("file_id", "file_data", "filename")}
    file = without_nothing(**given)
    if "file_id" not in file and "file_data" not in file:
        file = _file_of(part, fetched)
    return {"type": "file", "file": file} if file else None


def _file_of(part: Part, fetched: Fetched) -> JsonObject:
    file = locate(part, fetched)
    if not isinstance(file, Inline):
        return {}
    return without_nothing(file_data=file.data_url, filename=part.filename)


def _written_assistant(parts: Sequence[Part]) -> JsonObject:
    texts = [part for part in parts if part.type is PartType.TEXT]
    calls = [part for part in parts if part.type is PartType.TOOL_CALL]
    said = "".join(part.text or "" for part in texts if not part.meta.get("is_refusal"))
    refused = "".join(part.text or "" for part in texts if part.meta.get("is_refusal"))
    tool_calls: list[Json] = [_written_call(part) for part in calls if part.call_id]
    legacy = next((_function(part) for part in calls if not part.call_id), None)
    return without_nothing(
        content=said or None,
        refusal=refused or None,
        tool_calls=tool_calls or None,
        function_call=legacy,
    )


def _written_call(part: Part) -> JsonObject:
    if part.meta.get("type") == "custom":
        custom: JsonObject = {"name": part.tool or "", "input": _arguments(part)}
        return {"id": part.call_id, "type": "custom", "custom": custom}
    return {"id": part.call_id, "type": "function", "function": _function(part)}


def _function(part: Part) -> JsonObject:
    return {"name": part.tool or "", "arguments": _arguments(part)}


def _arguments(part: Part) -> str:
    arguments = part.meta.get("arguments")
    return arguments if isinstance(arguments, str) else dump(arguments)
