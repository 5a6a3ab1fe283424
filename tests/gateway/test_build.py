"""What is made of the contracts for Envoy."""

from collections.abc import Sequence

import pytest
from google.api import annotations_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import (
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from acontext_server.gateway import build

CONTRACTS = build.contracts()


def bindings(descriptors: bytes) -> dict[str, tuple[str, str]]:
    """Path of each RPC that has a route, with the route's body and response_body."""
    found = {}
    for file in FileDescriptorSet.FromString(descriptors).file:
        for service in file.service:
            for rpc in service.method:
                if rpc.options.HasExtension(annotations_pb2.http):
                    rule = rpc.options.Extensions[annotations_pb2.http]
                    path = f"/{file.package}.{service.name}/{rpc.name}"
                    found[path] = (rule.body, rule.response_body)
    return found


def test_envoy_sees_response_bodies_of_bytes_only() -> None:
    seen = bindings(build.descriptors(CONTRACTS, multipart=False))
    assert seen["/acontext.session.v1.SessionService/CreateSession"] == ("*", "")
    assert seen["/acontext.disk.v1.DiskService/GetBlob"] == ("", "content")


def test_a_path_for_json_and_multipart_has_one_rpc_in_each_set() -> None:
    json = set(bindings(build.descriptors(CONTRACTS, multipart=False)))
    multipart = set(bindings(build.descriptors(CONTRACTS, multipart=True)))
    sessions = "/acontext.session.v1.SessionService"
    assert json ^ multipart == {f"{sessions}/StoreMessageJson", f"{sessions}/StoreMessageMultipart"}
    assert f"{sessions}/StoreMessageJson" in json


def test_every_import_stands_before_what_imports_it() -> None:
    seen: set[str] = set()
    for file in FileDescriptorSet.FromString(build.descriptors(CONTRACTS, multipart=False)).file:
        assert seen >= set(file.dependency)
        seen.add(file.name)


def contract(name: str, response_body: str, fields: Sequence[str]) -> FileDescriptor:
    """A contract with one RPC whose answer has these fields; `json` is free JSON."""
    package = f"tests.{name}.v1"
    file = FileDescriptorProto(name=f"tests/{name}.proto", package=package, syntax="proto3")
    file.dependency[:] = ["google/api/annotations.proto", "google/protobuf/struct.proto"]
    message = file.message_type.add(name="Answer")
    for number, field in enumerate(fields, 1):
        free = field == "json"
        message.field.add(
            name=field,
            number=number,
            label=FieldDescriptorProto.LABEL_OPTIONAL
            if free
            else FieldDescriptorProto.LABEL_REPEATED,
            type=FieldDescriptorProto.TYPE_MESSAGE if free else FieldDescriptorProto.TYPE_STRING,
            type_name=".google.protobuf.Struct" if free else None,
        )
    answer = f".{package}.Answer"
    rpc = file.service.add(name="S").method.add(name="Get", input_type=answer, output_type=answer)
    rule = rpc.options.Extensions[annotations_pb2.http]
    rule.get, rule.response_body = f"/{name}", response_body
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(file.name)


def test_a_member_beside_others_cannot_be_the_data() -> None:
    with pytest.raises(build.UnfitContract, match="a"):
        build.rpcs([contract("beside", "a", ["a", "b"])])


def test_a_list_left_out_when_empty_cannot_stand_beside_free_json() -> None:
    with pytest.raises(build.UnfitContract, match="progresses"):
        build.rpcs([contract("free", "", ["progresses", "json"])])


def test_a_list_left_out_when_empty_is_found_by_its_name() -> None:
    (rpc,) = build.rpcs([contract("plain", "", ["progresses", "others"])])
    assert rpc.omitted == ["progresses"]


def test_a_pattern_of_nothing_matches_no_path() -> None:
    assert not build.matching([]).startswith("/")
