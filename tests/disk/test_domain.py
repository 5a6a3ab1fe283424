"""What may be said of an artifact."""

import pytest

from acontext_server.disk.domain import DEEPEST_META, LARGEST_META, InvalidMeta, read_meta
from acontext_server.kit.errors import TooLarge


def nested(levels: int) -> str:
    return '{"a":' * (levels - 1) + "{}" + "}" * (levels - 1)


def test_meta_is_any_json_object() -> None:
    assert read_meta('{"a": [1, null, "\\u0000"], "größe": {"b": true}}') == {
        "a": [1, None, "\0"],
        "größe": {"b": True},
    }
    assert read_meta(nested(DEEPEST_META))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ("null", "JSON object"),
        ('"text"', "JSON object"),
        ("{", "JSON object"),
        ('{"a": NaN}', "JSON object"),
        ('{"a": "\\ud800"}', "JSON object"),
        ('{"a": 1e999}', "finite|JSON object"),
        ('{"__artifact_info__": {}}', "reserved"),
        (nested(DEEPEST_META + 1), "nested"),
        ('{"a":' * 100_000, "JSON object"),
        ('{"a":' + "[" * 40 + "]" * 40 + "}", "nested"),
    ],
)
def test_what_is_no_meta_names_the_rule(text: str, rule: str) -> None:
    with pytest.raises(InvalidMeta, match=rule):
        read_meta(text)


def test_meta_has_a_largest_size() -> None:
    with pytest.raises(TooLarge):
        read_meta('{"a": "' + "x" * LARGEST_META + '"}')
