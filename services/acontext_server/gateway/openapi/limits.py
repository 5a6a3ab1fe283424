"""The rules of protovalidate as keywords of JSON Schema."""

import protovalidate
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from acontext_server.gateway.build import UnfitContract
from buf.validate import validate_pb2 as validate

Schema = dict[str, object]

KEYWORDS = {
    "gt": "exclusiveMinimum",
    "gte": "minimum",
    "in": "enum",
    "lt": "exclusiveMaximum",
    "lte": "maximum",
    "max_items": "maxItems",
    "max_len": "maxLength",
    "min_items": "minItems",
    "min_len": "minLength",
    "pattern": "pattern",
}
TOLD_OTHERWISE = {"cel", "required", "items"}
"""Rules that are read by a function of their own."""


def required_fields(message: Descriptor) -> frozenset[str]:
    """Return the fields without which a request is refused, as the validator itself sees it.

    Raise `UnfitContract` for a message with a rule across fields, which no keyword can tell.
    """
    if message.GetOptions().HasExtension(validate.message):
        raise UnfitContract(f"{message.full_name}: no keyword says its rules across fields")
    empty = GetMessageClass(message)()
    paths = [one.proto.field for one in protovalidate.collect_violations(empty)]
    return frozenset(path.elements[0].field_name for path in paths if path)


def limits(field: FieldDescriptor) -> Schema:
    """Return the keywords that limit a field; raise `UnfitContract` for a rule without one."""
    return _keywords(_rules(field), field)


def limits_of_items(field: FieldDescriptor) -> Schema:
    """Return the keywords that limit each item of a list."""
    return _keywords(_rules(field).repeated.items, field)


def sentences(field: FieldDescriptor) -> list[str]:
    """Return the rules that no keyword can tell, in words."""
    return [f"{rule.message[:1].upper()}{rule.message[1:]}." for rule in _rules(field).cel]


def _rules(field: FieldDescriptor) -> validate.FieldRules:
    return field.GetOptions().Extensions[validate.field]


def _keywords(rules: Message, field: FieldDescriptor) -> Schema:
    keywords: Schema = {}
    for rule, value in rules.ListFields():
        if rule.message_type is not None and rule.name not in TOLD_OTHERWISE:
            keywords |= _keywords(value, field)
        elif rule.name == "uuid":
            keywords["format"] = "uuid"
        elif rule.name in KEYWORDS:
            keywords[KEYWORDS[rule.name]] = list(value) if rule.is_repeated else value
        elif rule.name not in TOLD_OTHERWISE:
            raise UnfitContract(f"{field.full_name}: no keyword says {rule.name}")
    return keywords
