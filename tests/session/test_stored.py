"""The stored form of content gives back what it was given."""

from hypothesis import given
from hypothesis import strategies as st

from acontext_server.session.content import Asset, Content, Part, PartType, Role
from acontext_server.session.domain import MAX_INLINE_BYTES
from acontext_server.session.formats.stored import (
    pack,
    put_back,
    set_aside,
    unpack,
    unpack_proto,
)

text = st.text(st.characters(exclude_categories=["Cs"]))
json = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
metas = st.dictionaries(text, json, max_size=4)
assets = st.builds(
    Asset, sha256=st.just("ab" * 32), mime=text, size_b=st.integers(0, 2**31 - 1), etag=text
)
parts = st.builds(
    Part,
    type=st.sampled_from(PartType),
    text=st.none() | text,
    meta=metas,
    asset=st.none() | assets,
    filename=st.none() | text,
)
contents = st.builds(
    Content, role=st.sampled_from(Role), parts=st.lists(parts, max_size=4).map(tuple), meta=metas
)


def unpacked(content: Content) -> Content:
    packed = pack(content)
    stored = unpack_proto(packed.row)
    assert set(set_aside(stored)) == packed.beside.keys()
    put_back(stored, packed.beside.__getitem__)
    return unpack(content.role, stored)


@given(contents)
def test_what_is_packed_is_unpacked_the_same(content: Content) -> None:
    assert unpacked(content) == content
    orders = [[*part.meta] for part in content.parts]
    assert [[*part.meta] for part in unpacked(content).parts] == orders


def test_long_texts_and_metas_are_set_aside_and_calls_still_found() -> None:
    long = "ö" * MAX_INLINE_BYTES
    call = Part(type=PartType.TOOL_CALL, meta={"id": "c", "name": "f", "arguments": long})
    said = Part(type=PartType.TEXT, text=long)
    content = Content(role=Role.ASSISTANT, parts=(said, call), meta={})
    packed = pack(content)
    assert len(packed.row) < 1000
    assert len(packed.beside) == 2
    assert packed.size > 4 * MAX_INLINE_BYTES
    assert unpacked(content) == content
    assert unpack(Role.ASSISTANT, unpack_proto(packed.row)).calls() == {"c": "f"}
