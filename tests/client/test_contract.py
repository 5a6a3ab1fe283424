"""The SDK knows the whole contract: every RPC, every field of a request, every field of a model."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor import Descriptor, MethodDescriptor

from acontext import types
from acontext._settings import _SERVICES
from acontext.options.v1 import CALLER_ANYONE, CALLER_SERVICE
from acontext.options.v1 import caller as caller_option

SOURCE = Path(__file__).parents[2] / "clients" / "python" / "acontext" / "_async"
OTHER_DOORS = ("Json", "Multipart")
"""The same for JSON callers."""
NAMED_ELSEWHERE: Mapping[str, set[str]] = {
    "DownloadArtifactRequest": {"length"},  # set after the request is made
    "StoreMessagesRequest": {"message"},  # one alone; the SDK sends many at once
}
NOT_OFFERED: Mapping[str, set[str]] = {
    "ReindexSkillsRequest": set(),  # a repair of the operator's, not a client's
}
MESSAGES: Mapping[str, str] = {
    "PublicUrl": "PublicURL",
    "CitedBlock": "SearchResultBlockItem",
    "Confirmation": "ExperienceConfirmation",
    "ToolName": "ToolReferenceData",
    "GetSearchThresholdResponse": "SearchThreshold",
}


def rpcs() -> Iterator[MethodDescriptor]:
    """List what clients may call."""
    for module in _SERVICES:
        for service in import_module(module).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                caller = method.GetOptions().Extensions[caller_option]
                if caller not in (CALLER_SERVICE, CALLER_ANYONE):
                    yield method


def calls() -> Sequence[ast.Call]:
    """List every call in the source."""
    trees = [ast.parse(file.read_text()) for file in SOURCE.glob("*.py")]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def requests() -> Mapping[str, set[str]]:
    """Say which fields of each request are set."""
    made: dict[str, set[str]] = {}
    for call in calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr.endswith("Request"):
            names = {keyword.arg for keyword in call.keywords if keyword.arg}
            made.setdefault(call.func.attr, set()).update(names)
    return made


def test_every_rpc_is_called_with_every_field() -> None:
    made = requests()
    missing = {}
    for method in rpcs():
        name = method.input_type.name
        if method.name.endswith(OTHER_DOORS):
            continue
        known = set(method.input_type.fields_by_name)
        set_ = made.get(name, set()) | NAMED_ELSEWHERE.get(name, set())
        if name not in made or known - set_ - {"update_mask"}:
            missing[name] = known - set_
    assert missing == NOT_OFFERED


def messages() -> Iterator[Descriptor]:
    """List every message of the contracts that a model may stand for."""
    seen = set()
    for module in _SERVICES:
        descriptor = import_module(module).DESCRIPTOR
        for file in [descriptor, *descriptor.dependencies]:
            if file.name.startswith("acontext/") and file.name not in seen:
                seen.add(file.name)
                yield from file.message_types_by_name.values()


def test_every_model_has_every_field_of_its_message() -> None:
    missing = {}
    for message in messages():
        model = getattr(types, MESSAGES.get(message.name, message.name), None)
        if model is None or model is types.TaskData:
            continue
        left = set(message.fields_by_name) - {field.name for field in fields(model)}
        if left:
            missing[message.name] = left
    assert missing == {}
