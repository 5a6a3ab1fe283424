"""Between Gemini's contents and parts. Keys may come in snake_case, they go out in camelCase."""

from collections.abc import Callable, Mapping

from acontext_server.session.content import Content, Part, PartType, Role
from acontext_server.session.formats.media import (
    MEDIA,
    Fetched,
    Inline,
    Remote,
    Upload,
    kind_of,
    locate,
    uploaded,
)
from acontext_server.session.formats.reading import Field, object_of, without_nothing
from acontext_server.session.free_json import InvalidJson, Json, JsonObject, dump, parse_text

_KINDS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "inlineData": ("inlineData", "inline_data"),
    "fileData": ("fileData", "file_data"),
    "functionCall": ("functionCall", "function_call"),
    "functionResponse": ("functionResponse", "function_response"),
}


def read(blob: Field, uploads: Mapping[str, Upload], new_call_id: Callable[[], str]) -> Content:
    """Take a content apart; a call without an id is given one."""
    role = blob.get("role").one_of(("user", "model"))
    parts = tuple(_part(part, uploads, new_call_id) for part in blob.get("parts").items())
    return Content(role=Role.USER if role == "user" else Role.ASSISTANT, parts=parts, meta={})


def _part(part: Field, uploads: Mapping[str, Upload], new_call_id: Callable[[], str]) -> Part:
    part.object()
    if upload := uploaded(part, uploads):
        kind = kind_of(upload.asset.mime)
        return Part(type=kind, asset=upload.asset, filename=upload.filename)
    for kind_name, spellings in _KINDS.items():
        if (given := part.get(*spellings)).here:
            return _read_kind(kind_name, given, new_call_id)
    raise part.wrong(f"must have one of {', '.join(_KINDS)}")


def _read_kind(kind: str, given: Field, new_call_id: Callable[[], str]) -> Part:
    match kind:
        case "text":
            return Part(type=PartType.TEXT, text=given.text())
        case "inlineData":
            return _inline(given)
        case "fileData":
            return _file(given)
        case "functionCall":
            return _call(given, new_call_id)
        case _:
            return _response(given)


def _inline(data: Field) -> Part:
    data.object()
    mime = data.get("mimeType", "mime_type").filled()
    meta: JsonObject = {"type": "base64", "media_type": mime, "data": data.get("data").filled()}
    return Part(type=kind_of(mime), meta=meta)


def _file(file: Field) -> Part:
    file.object()
    mime = file.get("mimeType", "mime_type").text_if_any()
    url = file.get("fileUri", "file_uri").filled()
    meta = without_nothing(type="url", media_type=mime or None, url=url)
    return Part(type=kind_of(mime or ""), meta=meta)


def _call(call: Field, new_call_id: Callable[[], str]) -> Part:
    call.object()
    args = call.get("args")
    meta: JsonObject = {
        "id": call.get("id").text_if_any() or new_call_id(),
        "name": call.get("name").filled(),
        "arguments": dump(args.object() if args.here else {}),
        "type": "function",
    }
    return Part(type=PartType.TOOL_CALL, meta=meta)


def _response(response: Field) -> Part:
    response.object()
    given = response.get("response")
    call_id = response.get("id").text_if_any() or None
    meta = without_nothing(name=response.get("name").filled(), tool_call_id=call_id)
    text = dump(given.object() if given.here else {})
    return Part(type=PartType.TOOL_RESULT, text=text, meta=meta)


def write(content: Content, fetched: Fetched, tools: Mapping[str, str]) -> list[JsonObject]:
    """Put a message together; `tools` names the tool of each call of the session by its id."""
    written = (_written(part, fetched, tools) for part in content.parts)
    parts: list[Json] = [part for part in written if part]
    role = "model" if content.role is Role.ASSISTANT else "user"
    return [{"role": role, "parts": parts}] if parts else []


def _written(part: Part, fetched: Fetched, tools: Mapping[str, str]) -> JsonObject | None:
    match part.type:
        case PartType.TEXT:
            return {"text": part.text} if part.text else None
        case PartType.TOOL_CALL:
            return {"functionCall": _written_call(part)}
        case PartType.TOOL_RESULT:
            return {"functionResponse": _written_response(part, tools)}
        case kind if kind in MEDIA:
            return _written_media(part, fetched)
        case _:
            return None


def _written_call(part: Part) -> JsonObject:
    args = object_of(part.meta.get("arguments"))
    return without_nothing(id=part.call_id, name=part.tool or "", args=args)


def _written_response(part: Part, tools: Mapping[str, str]) -> JsonObject:
    name = part.tool or tools.get(part.call_id or "") or None
    return without_nothing(id=part.call_id, name=name, response=_response_of(part.text or ""))


def _response_of(text: str) -> JsonObject:
    if not text:
        return {}
    try:
        value = parse_text(text)
    except InvalidJson:
        value = None
    return value if isinstance(value, dict) else {"output": text}


def _written_media(part: Part, fetched: Fetched) -> JsonObject | None:
    match locate(part, fetched):
        case Inline(mime=mime, base64=data):
            return {"inlineData": {"mimeType": mime, "data": data}}
        case Remote(mime=mime, url=url):
            return {"fileData": without_nothing(mimeType=mime, fileUri=url)}
        case _:
            return None
