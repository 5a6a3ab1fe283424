"""The OpenAPI document: that it is one, says what the contracts say, and is served."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from openapi_spec_validator import OpenAPIV31SpecValidator

from acontext_server.gateway import build, openapi
from acontext_server.gateway.openapi import comments
from acontext_server.gateway.openapi.schemas import Schemas, Way

CONTRACTS = build.contracts()


@pytest.fixture(scope="module")
def document() -> Any:
    return openapi.document(CONTRACTS)


def test_the_document_is_openapi(document: Any) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


async def test_it_is_served_without_a_key(rest: httpx.AsyncClient, document: Any) -> None:
    answer = await rest.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == document


def test_it_has_every_route_and_no_other(document: Any) -> None:
    told = {(verb, path) for path, verbs in document["paths"].items() for verb in verbs}
    methods = build.methods(CONTRACTS)
    routes = {(one.verb, one.path) for method in methods for one in build.routes_of(method)}
    assert told - routes == {("get", "/health"), ("get", "/openapi.json")}
    assert routes <= told


def test_every_operation_has_a_name_of_its_own(document: Any) -> None:
    names = [told["operationId"] for told in operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_and_schema_is_told_in_words(document: Any) -> None:
    assert [told["operationId"] for told in operations(document) if not told["summary"]] == []
    schemas = document["components"]["schemas"].items()
    of_bodies = {"Error", "MessagePage", "SessionContext", "StoreMessageBody"}
    assert {name for name, told in schemas if not told.get("description")} == of_bodies


def test_no_comment_is_of_something_that_is_gone() -> None:
    names = {name for file in CONTRACTS for name in full_names(file)}
    assert set(comments.read()) - names == set()


def test_rules_of_the_contract_are_keywords(document: Any) -> None:
    search = document["paths"]["/api/v1/space/{space_id}/experience_search"]["get"]
    told = {one["name"]: one for one in search["parameters"]}
    assert told["space_id"]["schema"] == {"type": "string", "format": "uuid"}
    assert told["limit"]["schema"].items() >= {"minimum": 1, "maximum": 50}.items()
    assert told["mode"]["schema"]["enum"] == ["fast", "agentic"]
    assert told["query"]["schema"]["maxLength"] == 32768
    assert [name for name, one in told.items() if one["required"]] == ["space_id", "query"]
    assert "not be blank" in told["query"]["description"]


def test_an_answer_says_what_may_be_null_and_what_may_be_absent(document: Any) -> None:
    told = document["components"]["schemas"]
    session = told["Session"]
    assert session["properties"]["space_id"]["anyOf"][1] == {"type": "null"}
    assert "space_id" in session["required"]
    assert "user_id" not in session["required"]
    assert told["TaskData"]["required"] == ["task_description"]
    assert told["Part"]["required"] == ["type"]
    resolved = document["paths"][
        "/api/v1/space/{space_id}/experience_confirmations/{confirmation_id}"
    ]["put"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert {"type": "null"} in resolved["properties"]["data"]["anyOf"]


def test_only_the_operator_may_make_projects(document: Any) -> None:
    secured = {told["operationId"]: told.get("security") for told in operations(document)}
    assert secured["ProjectService_CreateProject"] == [{"operator": []}]
    assert secured["DiskService_GetBlob"] == []
    assert secured["ProjectService_Ping"] is None
    assert document["security"] == [{"project": []}]


def operations(document: Any) -> list[Any]:
    return [told for verbs in document["paths"].values() for told in verbs.values()]


def full_names(file: FileDescriptor) -> Iterator[str]:
    """Name all that can have a comment."""
    for message in file.message_types_by_name.values():
        yield message.full_name
        yield from (field.full_name for field in message.fields)
    for enum in file.enum_types_by_name.values():
        yield enum.full_name
        yield from (f"{enum.full_name}.{value.name}" for value in enum.values)
    for service in file.services_by_name.values():
        yield service.full_name
        yield from (method.full_name for method in service.methods)


def test_a_number_that_arrives_as_text_has_no_schema() -> None:
    file = FileDescriptorProto(name="tests/long.proto", package="tests.long", syntax="proto3")
    message = file.message_type.add(name="Long")
    label, kind = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.TYPE_INT64
    message.field.add(name="count", number=1, label=label, type=kind)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    with pytest.raises(build.UnfitContract, match=r"tests\.long\.Long\.count"):
        Schemas({}).refer(pool.FindMessageTypeByName("tests.long.Long"), Way.ANSWER)
