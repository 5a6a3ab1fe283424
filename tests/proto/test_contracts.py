"""The contracts keep the rules that their readers rely on."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

import acontext_server
from acontext.disk import v1 as disk
from acontext.health import v1 as health
from acontext.observer import v1 as observer
from acontext.options.v1 import CALLER_SERVICE, caller
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.kit import errors

EVENTS: list[Descriptor] = [
    session.SessionEvent.DESCRIPTOR,
    disk.DiskEvent.DESCRIPTOR,
    observer.ObserverEvent.DESCRIPTOR,
    space.SpaceEvent.DESCRIPTOR,
]
REASONS = {
    "session": session.ErrorReason,
    "disk": disk.ErrorReason,
    "observer": observer.ErrorReason,
    "space": space.ErrorReason,
}
WIDE = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
    FieldDescriptor.TYPE_SINT64,
}


def methods() -> Iterator[MethodDescriptor]:
    for service in (session, disk, observer, space, health):
        for name in dir(service):
            if name.endswith("Servicer") and not name.startswith("add_"):
                module = name.removesuffix("Servicer")
                file = import_module(_file_of(service.__name__, module)).DESCRIPTOR
                yield from file.services_by_name[module].methods


def _file_of(package: str, service: str) -> str:
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in service)
    return f"{package}.{words.strip('_')}_pb2"


METHODS = list(methods())


def reachable(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if message.full_name in seen or message.full_name.startswith("google."):
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from reachable(field.message_type, seen)


def test_all_eight_services_are_looked_at() -> None:
    assert len({method.containing_service.full_name for method in METHODS}) == 8
    assert len(METHODS) > 70


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_reaches_json_has_no_integer_that_json_prints_as_text(
    method: MethodDescriptor,
) -> None:
    if not method.GetOptions().HasExtension(annotations_pb2.http):
        return
    for message in (method.input_type, method.output_type):
        wide = [field.full_name for field in reachable(message, set()) if field.type in WIDE]
        assert wide == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_an_answer_that_names_its_member_has_no_other(method: MethodDescriptor) -> None:
    body = method.GetOptions().Extensions[annotations_pb2.http].response_body
    if body:
        assert [field.name for field in method.output_type.fields] == [body]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_only_services_call_has_no_route(method: MethodDescriptor) -> None:
    options = method.GetOptions()
    internal = options.Extensions[caller] == CALLER_SERVICE
    assert not (internal and options.HasExtension(annotations_pb2.http))


def kinds_of(root: type[errors.ServiceError]) -> Iterator[type[errors.ServiceError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def import_everything() -> None:
    for module in pkgutil.walk_packages(acontext_server.__path__, "acontext_server."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)


def test_every_error_that_a_service_raises_is_in_its_contract() -> None:
    import_everything()
    kinds = list(kinds_of(errors.ServiceError))
    assert len(kinds) > 25
    for kind in kinds:
        room = kind.__module__.split(".")[1]
        for enum in [REASONS[room]] if room in REASONS else REASONS.values():
            assert f"ERROR_REASON_{kind.reason}" in enum.keys(), kind  # noqa: SIM118 - an enum


def test_every_service_has_one_envelope_for_its_events() -> None:
    for message in EVENTS:
        assert {"id", "occurred_at", "project_id"} <= set(message.fields_by_name)
        assert [oneof.name for oneof in message.oneofs] == ["event"]
