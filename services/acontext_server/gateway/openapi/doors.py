"""Bodies that the contracts leave open: an HttpBody says nothing of what is in it.

Exact JSON and multipart pass the transcoder as bytes. Here stands which typed message they are the
JSON of, and by which names; everything else about them is that message's.
"""

from collections.abc import Sequence

from google.protobuf.descriptor import Descriptor

from acontext.disk.v1 import disk_service_pb2 as disk
from acontext.session.v1 import message_pb2, session_messages_pb2
from acontext_server.gateway.build import UnfitContract
from acontext_server.gateway.openapi.limits import Schema
from acontext_server.gateway.openapi.schemas import Schemas, Way

_SESSIONS = "/acontext.session.v1.SessionService"
_DISKS = "/acontext.disk.v1.DiskService"
_FILE: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


def body_of(rpc: str, schemas: Schemas) -> Schema:
    """Return what a request of this RPC holds, by media type."""
    match rpc.removeprefix(_SESSIONS).removeprefix(_DISKS):
        case "/StoreMessageJson":
            return {"application/json": {"schema": _message(schemas)}}
        case "/StoreMessageMultipart":
            return {"multipart/form-data": _message_with_files(schemas)}
        case "/UploadArtifactMultipart":
            return {"multipart/form-data": {"schema": _upload(schemas)}}
    raise UnfitContract(f"{rpc}: nothing says what its body holds")


def answer_of(rpc: str, schemas: Schemas) -> Schema:
    """Return the `data` that this RPC answers as exact JSON."""
    match rpc.removeprefix(_SESSIONS):
        case "/StoreMessageJson" | "/StoreMessageMultipart":
            return schemas.refer(message_pb2.Message.DESCRIPTOR, Way.ANSWER)
        case "/ListMessagesJson":
            typed = session_messages_pb2.ListMessagesResponse.DESCRIPTOR
            needed = ["items", "ids", "has_more", "this_time_tokens"]
            return _with_items("MessagePage", typed, needed, schemas)
        case "/GetSessionContextJson":
            typed = session_messages_pb2.GetSessionContextResponse.DESCRIPTOR
            needed = ["summary", "items", "ids", "tokens"]
            return _with_items("SessionContext", typed, needed, schemas)
    raise UnfitContract(f"{rpc}: nothing says what its answer holds")


def _message(schemas: Schemas) -> Schema:
    fields = session_messages_pb2.StoreMessageRequest.DESCRIPTOR.fields_by_name
    own = {name: schemas.field(fields[name], Way.REQUEST) for name in ("format", "request_id")}
    told = schemas.field(fields["blob_json"], Way.REQUEST)
    blob = {"type": "object", "description": told["description"]}
    schema: Schema = {"type": "object", "properties": own | {"blob": blob}, "required": ["blob"]}
    return schemas.define("StoreMessageBody", schema)


def _message_with_files(schemas: Schemas) -> Schema:
    fields = session_messages_pb2.StoreMessageRequest.DESCRIPTOR.fields_by_name
    files = schemas.field(fields["files"], Way.REQUEST)["description"]
    schema: Schema = {
        "type": "object",
        "properties": {"payload": _message(schemas)},
        "required": ["payload"],
        "additionalProperties": _FILE | {"description": files},
    }
    return {"schema": schema, "encoding": {"payload": {"contentType": "application/json"}}}


def _upload(schemas: Schemas) -> Schema:
    fields = disk.UploadHead.DESCRIPTOR.fields_by_name
    told = schemas.field(fields["meta"], Way.REQUEST)
    meta: Schema = {"type": "string", "contentMediaType": "application/json"}
    properties: Schema = {
        "file": _FILE,
        "file_path": {"type": "string"},
        "meta": meta | {"contentSchema": {"type": "object"}, "description": told["description"]},
    }
    return {"type": "object", "properties": properties, "required": ["file"]}


def _with_items(name: str, typed: Descriptor, needed: Sequence[str], schemas: Schemas) -> Schema:
    left_out = {"items", "items_json"}
    fields = {field.name: field for field in typed.fields if field.name not in left_out}
    items: Schema = {"type": "array", "items": {"type": "object"}}
    told = {name: schemas.field(field, Way.ANSWER) for name, field in fields.items()}
    schema: Schema = {
        "type": "object",
        "properties": {"items": items} | told,
        "required": list(needed),
    }
    return schemas.define(name, schema)
