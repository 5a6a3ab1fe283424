"""Ids sort by the time at which they were made."""

from acontext_server.kit.ids import uuid7


def test_ids_are_version_7_and_ascend_even_within_a_millisecond() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
