"""Cursors are taken only where they were made."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acontext_server.kit.errors import InvalidCursor
from acontext_server.kit.ids import uuid7
from acontext_server.kit.paging import Cursors

CURSORS = Cursors(b"a secret")


def test_a_cursor_comes_back_as_it_went_in() -> None:
    at, row_id = datetime(2026, 11, 22, 13, 5, 0, 123456, tzinfo=UTC), uuid7()
    cursor = CURSORS.encode_time("sessions", at, row_id)
    assert CURSORS.decode_time("sessions", cursor) == (at, row_id)


def test_no_cursor_means_no_position() -> None:
    assert CURSORS.decode_time("sessions", None) is None
    assert CURSORS.decode_time("sessions", "") is None


def test_a_cursor_of_another_list_or_installation_is_refused() -> None:
    cursor = CURSORS.encode("sessions", 7)
    with pytest.raises(InvalidCursor):
        CURSORS.decode("disks", cursor)
    with pytest.raises(InvalidCursor):
        Cursors(b"another").decode("sessions", cursor)


@given(some.text(max_size=80))
def test_text_that_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.decode("sessions", text)
