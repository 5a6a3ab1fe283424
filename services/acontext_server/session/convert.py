"""Between the domain and its messages: protobuf for typed callers, JSON for the other doors."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from uuid import UUID

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from acontext.session import v1 as pb
from acontext_server.kit.blobs import PublicUrl
from acontext_server.kit.errors import InvalidRequest
from acontext_server.session.app.condensing import SessionContext
from acontext_server.session.app.reading import MessagePage
from acontext_server.session.content import Part
from acontext_server.session.domain import (
    ApiKey,
    Message,
    Project,
    Session,
    SessionState,
    User,
)
from acontext_server.session.formats.acontext import write_part
from acontext_server.session.formats.stored import to_asset
from acontext_server.session.free_json import Json, JsonObject, dump

MAX_STRUCT_DEPTH = 28
"""A level of JSON is three of protobuf, whose readers stop at 100; what is deeper becomes text."""


def read_id(text: str, field: str) -> UUID:
    """Read an id that validation has not seen."""
    try:
        return _uuid(text)
    except ValueError as error:
        raise InvalidRequest.of(field, "must be a UUID") from error


_uuid = lru_cache(1024)(UUID)  # a session is named again in each of its messages


def to_timestamp(moment: datetime) -> Timestamp:
    """Put a time into its message."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def to_text(moment: datetime) -> str:
    """Write a time as RFC 3339."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{text[:-6]}Z"  # instead of +00:00


def to_struct(value: JsonObject, depth: int = 1) -> Struct:
    """Put free JSON into a Struct; numbers become doubles, what is too deep becomes text."""
    return Struct(fields={name: _to_value(item, depth) for name, item in value.items()})


def _to_value(value: Json, depth: int) -> Value:
    match value:
        case None:
            return Value(null_value=NULL_VALUE)
        case bool():
            return Value(bool_value=value)
        case int() | float():
            return Value(number_value=_to_double(value))
        case str():
            return Value(string_value=value)
        case _ if depth >= MAX_STRUCT_DEPTH:
            return Value(string_value=dump(value))
        case list():
            items = [_to_value(item, depth + 1) for item in value]
            return Value(list_value=ListValue(values=items))
        case dict():
            return Value(struct_value=to_struct(value, depth + 1))


def _to_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return sys.float_info.max if value > 0 else -sys.float_info.max


def from_struct(struct: Struct, field: str) -> JsonObject:
    """Take free JSON out of a Struct, as a jsonb column can keep it."""
    return {_kept(name, field): _from_value(item, field) for name, item in struct.fields.items()}


def _from_value(value: Value, field: str) -> Json:
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "number_value":
            return _from_double(value.number_value, field)
        case "string_value":
            return _kept(value.string_value, field)
        case "list_value":
            return [_from_value(item, field) for item in value.list_value.values]
        case "struct_value":
            return from_struct(value.struct_value, field)
        case _:
            return None


def _from_double(number: float, field: str) -> int | float:
    if not isfinite(number):
        raise InvalidRequest.of(field, "must have finite numbers")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _kept(text: str, field: str) -> str:
    if "\0" in text:
        raise InvalidRequest.of(field, "must not have a NUL")
    return text


def refuse_nul(value: Json, field: str) -> None:
    """Refuse free JSON that a jsonb column cannot compare with."""
    match value:
        case str():
            _kept(value, field)
        case list():
            for item in value:
                refuse_nul(item, field)
        case dict():
            for name, item in value.items():
                _kept(name, field)
                refuse_nul(item, field)


def to_project(project: Project) -> pb.Project:
    """Show a project."""
    return pb.Project(
        id=str(project.id),
        name=project.name,
        created_at=to_timestamp(project.created_at),
        updated_at=to_timestamp(project.updated_at),
    )


def to_key(key: ApiKey) -> pb.ApiKey:
    """Show a key, without its secret."""
    return pb.ApiKey(
        id=str(key.id),
        project_id=str(key.project_id),
        prefix=key.prefix,
        created_at=to_timestamp(key.created_at),
        last_used_at=to_timestamp(key.last_used_at) if key.last_used_at else None,
        expires_at=to_timestamp(key.expires_at) if key.expires_at else None,
    )


def to_user(user: User) -> pb.User:
    """Show a user."""
    return pb.User(
        id=str(user.id),
        project_id=str(user.project_id),
        identifier=user.identifier,
        created_at=to_timestamp(user.created_at),
        updated_at=to_timestamp(user.updated_at),
    )


def to_session(session: Session) -> pb.Session:
    """Show a session."""
    return pb.Session(
        id=str(session.id),
        project_id=str(session.project_id),
        user_id=_text(session.user_id),
        space_id=_text(session.space_id),
        disable_task_tracking=session.disable_task_tracking,
        configs=to_struct(session.configs),
        created_at=to_timestamp(session.created_at),
        updated_at=to_timestamp(session.updated_at),
    )


def to_state(state: SessionState) -> pb.SessionState:
    """Show how a session is doing."""
    return pb.SessionState(
        session_id=str(state.session_id),
        messages=state.messages,
        observed=state.observed,
        failed=state.failed,
        tokens=state.tokens,
        last_stored_at=to_timestamp(state.last_stored_at) if state.last_stored_at else None,
    )


def to_message(message: Message) -> pb.Message:
    """Show a message to a typed caller."""
    return pb.Message(
        id=str(message.id),
        session_id=str(message.session_id),
        parent_id=_text(message.parent_id),
        role=message.content.role.value,
        meta=to_struct(message.content.meta),
        parts=[_to_part(part) for part in message.content.parts],
        task_id=_text(message.task_id),
        session_task_process_status=message.status.value,
        created_at=to_timestamp(message.created_at),
        updated_at=to_timestamp(message.updated_at),
        sequence=message.sequence,
        failure=message.failure,
    )


def _to_part(part: Part) -> pb.Part:
    return pb.Part(
        type=part.type.value,
        text=part.text,
        asset=to_asset(part.asset) if part.asset else None,
        filename=part.filename,
        meta=to_struct(part.meta) if part.meta else None,
    )


def to_json(message: Message) -> JsonObject:
    """Show a message as exact JSON."""
    created_at = to_text(message.created_at)
    is_untouched = message.updated_at == message.created_at
    written: JsonObject = {
        "id": str(message.id),
        "session_id": str(message.session_id),
        "parent_id": _text(message.parent_id),
        "role": message.content.role.value,
        "meta": message.content.meta,
        "parts": [write_part(part) for part in message.content.parts],
        "task_id": _text(message.task_id),
        "session_task_process_status": message.status.value,
        "created_at": created_at,
        "updated_at": created_at if is_untouched else to_text(message.updated_at),
        "sequence": message.sequence,
    }
    if message.failure is not None:
        written["failure"] = message.failure
    return written


def page_to_json(page: MessagePage, *, own_form: bool) -> JsonObject:
    """Show a page of messages as exact JSON; items are in a provider's form, or in our own."""
    if own_form:
        items: list[Json] = [to_json(message) for message in page.messages]
        ids: list[Json] = [str(message.id) for message in page.messages]
    else:
        items = [item for _, item in page.items]
        ids = [str(message_id) for message_id, _ in page.items]
    written: JsonObject = {
        "items": items,
        "ids": ids,
        "has_more": page.next_cursor is not None,
        "this_time_tokens": page.tokens,
    }
    if page.next_cursor:
        written["next_cursor"] = page.next_cursor
    if page.edited_at:
        written["edit_at_message_id"] = str(page.edited_at)
    if page.urls:
        written["public_urls"] = _urls_to_json(page.urls)
    return written


def _urls_to_json(urls: Mapping[str, PublicUrl]) -> JsonObject:
    return {
        sha256: {"url": public.url, "expire_at": to_text(public.expires_at)}
        for sha256, public in urls.items()
    }


def page_to_proto(page: MessagePage, *, own_form: bool) -> pb.ListMessagesResponse:
    """Show a page of messages to a typed caller."""
    response = pb.ListMessagesResponse(
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
        this_time_tokens=page.tokens,
        edit_at_message_id=_text(page.edited_at),
    )
    if own_form:
        response.items.extend(to_message(message) for message in page.messages)
        response.ids.extend(str(message.id) for message in page.messages)
    else:
        response.items_json.extend(dump(item).encode() for _, item in page.items)
        response.ids.extend(str(message_id) for message_id, _ in page.items)
    for sha256, public in page.urls.items():
        response.public_urls[sha256].url = public.url
        response.public_urls[sha256].expire_at.FromDatetime(public.expires_at)
    return response


def context_to_json(context: SessionContext, *, own_form: bool) -> JsonObject:
    """Show a context as exact JSON."""
    page = page_to_json(context.page, own_form=own_form)
    shown: JsonObject = {name: page[name] for name in ("items", "ids")}
    return {"summary": context.summary, **shown, "tokens": context.tokens}


def context_to_proto(context: SessionContext, *, own_form: bool) -> pb.GetSessionContextResponse:
    """Show a context to a typed caller."""
    page = page_to_proto(context.page, own_form=own_form)
    return pb.GetSessionContextResponse(
        summary=context.summary,
        items=page.items,
        items_json=page.items_json,
        ids=page.ids,
        tokens=context.tokens,
    )


def _text(id_: UUID | None) -> str | None:
    return str(id_) if id_ else None
