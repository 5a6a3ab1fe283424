"""Every RPC, enumerated from the descriptors, with ids of another project: as if they were unknown.

What a foreign id gets is compared with what an id that nobody has gets, to the last word.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from google.protobuf import struct_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode, aio

from acontext.options.v1 import CALLER_ANYONE, CALLER_OPERATOR, CALLER_SERVICE, caller
from acontext_server.kit.rpc import reason_of
from tests.proto.test_contracts import METHODS
from tests.services import SERVICES, Platform
from tests.tenants.belongings import ARTIFACT, Metadata, Project, furnished_project, new_project

ORDINARY: Mapping[str, Any] = {
    "file_path": ARTIFACT,
    "meta": "{}",
    "query": "secret",
    "status": "success",
    "type": "text",
    "title": "x",
    "token_budget": 100,
    "version": 1,
    "save": False,
    "sort": 0,
    "name": "x",
    "blob_json": b'{"role":"user","content":"hello"}',
}
"""Values of fields that say what is wanted, so that only the ids can be refused."""

NAMES_ANOTHER = "_id"

FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="payload"\r\n\r\n'
    b'{"blob":{"role":"user","content":"hello"}}\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n'
    b"hello\r\n--edge--\r\n"
)
JSON = b'{"blob":{"role":"user","content":"hello"}}'


def names_something(message: Descriptor) -> bool:
    return any(
        field.name.endswith(NAMES_ANOTHER) and field.name != "request_id"
        for field in _fields(message)
    ) or any(field.name == "identifier" for field in message.fields)


def _fields(message: Descriptor) -> list[FieldDescriptor]:
    below = [
        field
        for one in message.fields
        if one.message_type is not None and one.message_type.name in {"UploadHead"}
        for field in one.message_type.fields
    ]
    nested = [
        field
        for one in message.fields
        if one.name == "message" and one.message_type is not None
        for field in one.message_type.fields
    ]
    return [*message.fields, *below, *nested]


def is_a_projects(method: MethodDescriptor) -> bool:
    kind = method.GetOptions().Extensions[caller]
    return kind not in (CALLER_OPERATOR, CALLER_SERVICE, CALLER_ANYONE)


TRIED = [one for one in METHODS if is_a_projects(one) and names_something(one.input_type)]


def filled(message: Message, ids: Mapping[str, str]) -> Message:
    """Fill a request: names from a project's belongings, the rest with ordinary values."""
    for field in message.DESCRIPTOR.fields:
        name = field.full_name if field.full_name in ids else field.name
        if name in ids and field.type == FieldDescriptor.TYPE_STRING:
            if not field.is_repeated:
                setattr(message, field.name, ids[name])
        elif field.name in ORDINARY and field.message_type is None:
            setattr(message, field.name, ORDINARY[field.name])
        elif field.name in {"configs", "props"}:
            getattr(message, field.name).CopyFrom(struct_pb2.Struct())
        elif field.name == "sop":
            getattr(message, field.name).use_when = "never"
        elif field.name == "body":
            is_form = message.DESCRIPTOR.name.endswith("MultipartRequest")
            body = getattr(message, field.name)
            body.content_type = (
                "multipart/form-data; boundary=edge" if is_form else "application/json"
            )
            body.data = FORM if is_form else JSON
        elif field.name in {"head", "message", "project", "settings"}:
            filled(getattr(message, field.name), ids)
            getattr(message, field.name).SetInParent()
    return message


async def answer_of(
    platform: Platform, method: MethodDescriptor, request: Message, key: Metadata
) -> str:
    """Say how a call ends: code, reason and sentence, or the answer itself."""
    service = method.containing_service.full_name
    # Requests are bytes and answers of any type here, which the types of a channel do not foresee.
    channel: Any = platform.channel(service.split(".")[1])
    path = f"/{service}/{method.name}"
    options = {"response_deserializer": GetMessageClass(method.output_type).FromString}
    data = request.SerializeToString()
    try:
        async with asyncio.timeout(10):
            if method.client_streaming:
                call = channel.stream_unary(path, **options)(iter([data]), metadata=key)
            elif method.server_streaming:
                stream = channel.unary_stream(path, **options)(data, metadata=key)
                return repr(await anext(aiter(stream), ""))
            else:
                call = channel.unary_unary(path, **options)(data, metadata=key)
            return repr(await call)
    except aio.AioRpcError as error:
        return f"{error.code().name} {reason_of(error)} {error.details()}"


async def tenants(platform: Platform) -> tuple[Project, Metadata]:
    await platform.start(*SERVICES)
    owner = await furnished_project(platform)
    _, stranger = await new_project(platform, "stranger")
    return owner, stranger


def without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|someone-[0-9a-f]+|somebody@example.com", "…", text)


async def test_foreign_ids_look_exactly_like_unknown_ones(platform: Platform) -> None:
    owner, stranger = await tenants(platform)
    nobodys = {
        name: f"someone-{uuid4().hex}" if "@" in value else str(uuid4())
        for name, value in owner.ids.items()
    }
    told_apart, leaked = [], []
    for method in TRIED:
        kind = GetMessageClass(method.input_type)
        foreign = await answer_of(platform, method, filled(kind(), owner.ids), stranger)
        missing = await answer_of(platform, method, filled(kind(), nobodys), stranger)
        if without_ids(foreign) != without_ids(missing):
            told_apart.append((method.name, foreign, missing))
        if not (foreign.startswith(StatusCode.NOT_FOUND.name) or _is_empty(foreign)):
            leaked.append((method.name, foreign))
    assert len(TRIED) > 45
    assert told_apart == []
    assert leaked == []


def _is_empty(answer: str) -> bool:
    return answer in {"", "''"}


async def test_the_owner_reaches_what_the_stranger_could_not(platform: Platform) -> None:
    owner, _ = await tenants(platform)
    reads = [one for one in TRIED if one.name.startswith(("Get", "List", "Search", "Grep"))]
    refused = []
    for method in reads:
        request = filled(GetMessageClass(method.input_type)(), owner.ids)
        given = await answer_of(platform, method, request, owner.key)
        if given.startswith(StatusCode.NOT_FOUND.name):
            refused.append((method.name, given))
    assert len(reads) > 15
    assert refused == []
