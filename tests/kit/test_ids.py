"""Ids sort by the time at which they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from acontext_server.kit.ids import first_id_of, ids_beginning_with, uuid7


def test_ids_are_version_7_and_ascend_even_within_a_millisecond() -> None:
    ids = [uuid7() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}


def test_ids_stand_between_the_times_around_them() -> None:
    now, made = datetime.now(UTC), uuid7()
    assert first_id_of(now - timedelta(seconds=1)) < made < first_id_of(now + timedelta(days=1))
    assert first_id_of(datetime(1, 1, 2, tzinfo=UTC)) == UUID(int=0)


@pytest.mark.parametrize("digits", [1, 8, 9, 23, 36])
def test_an_id_is_among_those_that_begin_like_it(digits: int) -> None:
    made = uuid7()
    span = ids_beginning_with(str(made).upper()[:digits])
    assert span is not None
    assert span[0] <= made <= span[1]


@pytest.mark.parametrize("text", ["", "-", "zoe", "0198c0dg", "0" * 33])
def test_what_no_id_begins_with_begins_none(text: str) -> None:
    assert ids_beginning_with(text) is None
