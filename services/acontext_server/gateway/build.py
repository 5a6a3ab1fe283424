"""What Envoy has to know of the contracts, made from the generated Python stubs.

Descriptors for the transcoder, the table of answers for `dialect.lua` and patterns for the routes.
It takes milliseconds and needs no buf, so it happens at start and nothing of it is committed.
"""

import importlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2

import acontext
from acontext.options.v1 import options_pb2 as options

OMITTED_WHEN_EMPTY = ("progresses", "user_preferences")
"""Lists that clients expect to be absent rather than empty."""

BYTES = "google.api.HttpBody"
FREE_JSON = "google.protobuf.Struct"


class Answer(StrEnum):
    """What `dialect.lua` makes of an RPC's answer."""

    MESSAGE = "message"
    """The message, or a member of it, is `data`."""
    NOTHING = "nothing"
    """There is no `data`."""
    JSON = "json"
    """The bytes of an HttpBody are `data`."""
    RAW = "raw"
    """Left alone: bytes, streams, what has its own envelope, and what JSON cannot reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpc:
    """One RPC as the gateway sees it."""

    path: str
    service: str
    """The name of the service that answers, `session`."""
    answer: Answer
    member: str | None
    """The only field of the answer, if that is `data` rather than the whole message."""
    omitted: Sequence[str]
    nulls: bool
    """Whether it streams messages whose nullable ids have to be filled in."""
    internal: bool
    streams: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One HTTP route of an RPC."""

    verb: str
    """In lower case."""
    path: str
    """With fields of the request in braces."""
    body: str
    """The field that the body is; `*` is the whole request, empty means no body."""
    member: str
    """The field of the answer that is sent; empty means the whole answer."""


class UnfitContract(Exception):
    """A contract asks for something that the dialect cannot do."""


def contracts() -> list[FileDescriptor]:
    """Import every generated module of the `acontext` package and return its descriptors."""
    root = Path(acontext.__path__[0])
    paths = sorted(path.relative_to(root.parent) for path in root.glob("*/v1/*_pb2.py"))
    modules = [importlib.import_module(".".join(path.with_suffix("").parts)) for path in paths]
    return [module.DESCRIPTOR for module in modules]


def service_names(files: Iterable[FileDescriptor]) -> list[str]:
    """Return the full names of all gRPC services."""
    return [service.full_name for file in files for service in file.services_by_name.values()]


def rpcs(files: Iterable[FileDescriptor]) -> list[Rpc]:
    """Return all RPCs; raise `UnfitContract` for one that the dialect cannot serve."""
    return [rpc_of(method) for method in methods(files)]


def matching(rpcs: Iterable[Rpc]) -> str:
    """Return a regular expression that matches the paths of these RPCs and nothing else."""
    return "|".join(re.escape(rpc.path) for rpc in rpcs) or "never"


def tables(files: Iterable[FileDescriptor]) -> str:
    """Return the Lua tables of RPCs with their answers, and of switches."""
    files = list(files)
    rows = "".join(f"  [{json.dumps(rpc.path)}] = {_row(rpc)},\n" for rpc in rpcs(files))
    names = "".join(f"  {name} = true,\n" for name in switches(files))
    return f"local RPCS = {{\n{rows}}}\nlocal SWITCHES = {{\n{names}}}\n"


def switches(files: Iterable[FileDescriptor]) -> list[str]:
    """Return the names of boolean parameters in queries, in both spellings.

    Raise `UnfitContract` if one is something else on another route, since a query is checked before
    its RPC is known.
    """
    fields = [field for method in methods(files) for field in queried(method)]
    switches = [field for field in fields if field.type == field.TYPE_BOOL]
    names = {name for field in switches for name in _spellings(field)}
    for field in fields:
        if field.type != field.TYPE_BOOL and names.intersection(_spellings(field)):
            raise UnfitContract(f"{field.full_name}: is boolean in another query")
    return sorted(names)


def queried(method: MethodDescriptor) -> list[FieldDescriptor]:
    """Return the fields of a request that stand in the query of one of its routes."""
    fields: dict[str, FieldDescriptor] = {}
    for route in routes_of(method):
        fields |= {field.name: field for field in in_query(method, route)}
    return list(fields.values())


def sends_bytes(method: MethodDescriptor) -> bool:
    """Say whether an RPC streams a file."""
    held = [field.message_type for field in method.output_type.fields]
    return method.server_streaming and [one and one.full_name for one in held] == [BYTES]


def in_path(route: Route) -> list[str]:
    """Return the names of the fields that stand in a route's path."""
    return _VARIABLE.findall(route.path)


def in_query(method: MethodDescriptor, route: Route) -> list[FieldDescriptor]:
    """Return the fields of a request that stand in the query of a route."""
    elsewhere = {*in_path(route), route.body}
    free = () if route.body == "*" else method.input_type.fields
    return [field for field in free if field.name not in elsewhere]


def descriptors(files: Iterable[FileDescriptor], *, multipart: bool) -> bytes:
    """Return the descriptor set for Envoy, with everything that it imports.

    Envoy accepts `response_body` for an HttpBody only, so elsewhere it is taken out. Where one path
    takes JSON and multipart by two RPCs, the set has the route of one of them. What sends a file
    answers HEAD too.
    """
    files = list(files)
    hidden = _twins(files, streaming=not multipart)
    spliced = {rpc.path for rpc in rpcs(files) if rpc.member}
    sending = {_path(method) for method in methods(files) if sends_bytes(method)}
    protos = [_proto(file) for file in _with_imports([*files, error_details_pb2.DESCRIPTOR])]
    for proto in protos:
        _fit_routes(proto, hidden=hidden, spliced=spliced, sending=sending)
    return FileDescriptorSet(file=protos).SerializeToString(deterministic=True)


def methods(files: Iterable[FileDescriptor]) -> Iterator[MethodDescriptor]:
    """Yield every RPC's descriptor."""
    for file in files:
        for service in file.services_by_name.values():
            yield from service.methods


_VARIABLE = re.compile(r"\{([^{}]*)\}")


def _spellings(field: FieldDescriptor) -> set[str]:
    return {field.name, field.json_name}


def _path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def routes_of(method: MethodDescriptor) -> list[Route]:
    """Return the routes of an RPC, the first of which is its main one."""
    rules = _bindings(method.GetOptions().Extensions[annotations_pb2.http])
    kinds = [(rule.WhichOneof("pattern"), rule) for rule in rules]
    return [
        Route(verb=kind, path=getattr(rule, kind), body=rule.body, member=rule.response_body)
        for kind, rule in kinds
        if kind is not None
    ]


def _bindings(rule: http_pb2.HttpRule) -> list[http_pb2.HttpRule]:
    return [rule, *rule.additional_bindings]


def rpc_of(method: MethodDescriptor) -> Rpc:
    """Return how the gateway sees an RPC; raise `UnfitContract` if the dialect cannot serve it."""
    answer = _answer(method)
    return Rpc(
        path=_path(method),
        service=method.containing_service.full_name.split(".")[1],
        answer=answer,
        member=_member(method) if answer is Answer.MESSAGE else None,
        omitted=_omitted(method) if answer is Answer.MESSAGE else (),
        nulls=method.server_streaming and _holds_nullable(method),
        internal=method.GetOptions().Extensions[options.caller] == options.CALLER_SERVICE,
        streams=method.client_streaming or method.server_streaming,
    )


def _answer(method: MethodDescriptor) -> Answer:
    declared = method.GetOptions().Extensions[options.answer]
    if declared == options.ANSWER_RAW or method.server_streaming or not routes_of(method):
        return Answer.RAW
    if declared == options.ANSWER_JSON:
        return Answer.JSON
    return Answer.MESSAGE if method.output_type.fields else Answer.NOTHING


def _member(method: MethodDescriptor) -> str | None:
    members = {route.member for route in routes_of(method)}
    fields = [field.name for field in method.output_type.fields]
    if members == {""}:
        return None
    if members != set(fields):
        raise UnfitContract(f"{method.full_name}: {members} is not all of {fields}")
    return fields[0]


def _omitted(method: MethodDescriptor) -> Sequence[str]:
    messages = _reached(method.output_type)
    names = {field.name for message in messages for field in message.fields}
    found = [name for name in OMITTED_WHEN_EMPTY if name in names]
    if found and any(message.full_name == FREE_JSON for message in messages):
        raise UnfitContract(f"{method.full_name}: cannot tell {found} from a user's own JSON")
    return found


def _holds_nullable(method: MethodDescriptor) -> bool:
    fields = [field for message in _reached(method.output_type) for field in message.fields]
    return any(field.GetOptions().Extensions[options.nullable] for field in fields)


def _reached(message: Descriptor) -> list[Descriptor]:
    seen = {message.full_name: message}
    waiting = [message]
    while waiting:
        for field in waiting.pop().fields:
            reached = field.message_type
            if reached is not None and reached.full_name not in seen:
                seen[reached.full_name] = reached
                waiting.append(reached)
    return list(seen.values())


def _row(rpc: Rpc) -> str:
    member = f", member = {json.dumps(rpc.member)}" if rpc.member else ""
    omitted = ", ".join(json.dumps(name) for name in rpc.omitted)
    nulls = ", nulls = true" if rpc.nulls else ""
    return f'{{ answer = "{rpc.answer}"{member}{nulls}, omitted = {{ {omitted} }} }}'


def _twins(files: Iterable[FileDescriptor], *, streaming: bool) -> set[str]:
    places = {method: _places(method) for method in methods(files)}
    others = [places[method] for method in places if method.client_streaming != streaming]
    taken = set().union(*others)
    return {
        _path(method)
        for method, own in places.items()
        if method.client_streaming == streaming and own & taken
    }


def _places(method: MethodDescriptor) -> set[tuple[str, str]]:
    return {(route.verb, route.path) for route in routes_of(method)}


def _with_imports(files: Iterable[FileDescriptor]) -> list[FileDescriptor]:
    ordered: dict[str, FileDescriptor] = {}
    for file in files:
        for needed in [*_with_imports(file.dependencies), file]:
            ordered.setdefault(needed.name, needed)
    return list(ordered.values())


def _proto(file: FileDescriptor) -> FileDescriptorProto:
    return FileDescriptorProto.FromString(file.serialized_pb)


def _fit_routes(
    proto: FileDescriptorProto, *, hidden: set[str], spliced: set[str], sending: set[str]
) -> None:
    for service in proto.service:
        for method in service.method:
            path = f"/{proto.package}.{service.name}/{method.name}"
            if path in hidden:
                method.options.ClearExtension(annotations_pb2.http)
            if path in spliced:
                for rule in _bindings(method.options.Extensions[annotations_pb2.http]):
                    rule.ClearField("response_body")
            if path in sending:
                _add_head(method.options.Extensions[annotations_pb2.http])


def _add_head(rule: http_pb2.HttpRule) -> None:
    head = http_pb2.CustomHttpPattern(kind="HEAD", path=rule.get)
    rule.additional_bindings.add(custom=head, response_body=rule.response_body)
