"""Our own form: a role and parts as they are kept."""

from collections.abc import Mapping

from acontext_server.session.content import Content, Part, PartType, Role
from acontext_server.session.formats.media import Upload, uploaded
from acontext_server.session.formats.reading import Field
from acontext_server.session.free_json import JsonObject


def read(blob: Field, uploads: Mapping[str, Upload]) -> Content:
    """Take a message as it is, after a look at what each type of part needs."""
    role = Role(blob.get("role").one_of([role.value for role in Role]))
    parts = tuple(_part(part, uploads) for part in blob.get("parts").items())
    return Content(role=role, parts=parts, meta=_meta(blob))


def _meta(holder: Field) -> JsonObject:
    meta = holder.get("meta")
    return dict(meta.object()) if meta.here else {}


def _part(field: Field, uploads: Mapping[str, Upload]) -> Part:
    field.object()
    kind = PartType(field.get("type").one_of([kind.value for kind in PartType]))
    upload = uploaded(field, uploads)
    part = Part(
        type=kind,
        text=field.get("text").text_if_any(),
        meta=_meta(field),
        asset=upload.asset if upload else None,
        filename=upload.filename if upload else None,
    )
    _check(part, field)
    return part


def _check(part: Part, field: Field) -> None:
    meta = field.get("meta")
    match part.type:
        case PartType.TEXT:
            field.get("text").filled()
        case PartType.TOOL_CALL:
            meta.get("name").filled()
            _check_arguments(meta.get("arguments"))
        case PartType.TOOL_RESULT:
            meta.get("tool_call_id").filled()
        case PartType.DATA:
            meta.get("data_type").filled()
        case _:
            pass


def _check_arguments(arguments: Field) -> None:
    if not isinstance(arguments.value, str | dict):
        raise arguments.wrong("is required and must be text or an object")


def write_part(part: Part) -> JsonObject:
    """Show a part with what it has; nothing is null."""
    written: JsonObject = {"type": part.type.value}
    if part.text is not None:
        written["text"] = part.text
    if part.asset:
        written["asset"] = {name: getattr(part.asset, name) for name in part.asset.__slots__}
    if part.filename is not None:
        written["filename"] = part.filename
    if part.meta:
        written["meta"] = part.meta
    return written
