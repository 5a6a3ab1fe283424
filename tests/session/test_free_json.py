"""Free JSON goes out as it came in, or is refused with its place."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acontext_server.session.free_json import MAX_DEPTH, InvalidJson, Json, dump, encode, parse

documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(documents)
def test_what_is_read_is_written_the_same(document: Json) -> None:
    written = dump(document)
    assert parse(written.encode()) == document
    assert dump(parse(written.encode())) == written
    assert parse(encode(document)) == document


def test_order_of_keys_and_big_integers_are_kept() -> None:
    raw = '{"b":1,"a":123456789012345678901234567890,"c":0.1}'
    assert dump(parse(raw.encode())) == raw
    assert encode(parse(raw.encode())) == raw.encode()


def test_nesting_is_kept_up_to_the_limit() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert dump(parse(deep.encode())) == deep
    assert encode(parse(deep.encode())) == deep.encode()
    with pytest.raises(InvalidJson, match="nested deeper"):
        parse(f"[{deep}]".encode())
    with pytest.raises(InvalidJson, match="nested deeper"):
        parse(b"[" * 100_000)


def test_brackets_in_texts_are_no_nesting() -> None:
    text = json.dumps("[{" * 1000 + '"')
    assert parse(text.encode()) == "[{" * 1000 + '"'


def test_nul_and_paired_surrogates_are_text() -> None:
    assert parse(b'"\\u0000 \\ud83d\\ude00"') == "\0 \U0001f600"


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"NaN", "no JSON number"),
        (b"-Infinity", "no JSON number"),
        (b"1e999", "too large"),
        (b"1" * 5000, "is not JSON"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b'{"a":[{"b":"\\ud800"}]}', r"surrogate without its partner in a\[0\]\.b"),
        (b'{"\\udc00":1}', "surrogate without its partner"),
    ],
)
def test_what_cannot_be_kept_is_refused(raw: bytes, rule: str) -> None:
    with pytest.raises(InvalidJson, match=rule):
        parse(raw)


def test_nothing_that_is_no_json_is_ever_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump(math.nan)
