"""Which bytes a caller asked for."""

import pytest

from acontext_server.disk.domain import RangeNotSatisfiable
from acontext_server.disk.ranges import Span, span_of, span_of_header, whole


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, 99),
        ("bytes=90-1000", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=0-0", 0, 0),
        ("bytes= 1 - 2 ", 1, 2),
    ],
)
def test_one_range_is_honoured(header: str, first: int, last: int) -> None:
    span = span_of_header(header, 100)
    assert span
    assert (span.offset, span.offset + span.length - 1) == (first, last)
    assert span.content_range == f"bytes {first}-{last}/100"


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,5-6", "lines=1-2"]
)
def test_what_is_no_single_range_is_ignored(header: str) -> None:
    assert span_of_header(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=-0", 100), ("bytes=-5", 0)]
)
def test_a_range_beyond_the_end_is_refused(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        span_of_header(header, size)
    assert refused.value.metadata == {"size": str(size)}
    assert refused.value.http_headers == [("content-range", f"bytes */{size}")]


def test_a_span_ends_with_the_file() -> None:
    assert span_of(10, offset=3, length=None) == Span(offset=3, length=7, size=10)
    assert span_of(10, offset=3, length=100) == Span(offset=3, length=7, size=10)
    assert span_of(0, offset=0, length=None) == whole(0)
    with pytest.raises(RangeNotSatisfiable):
        span_of(10, offset=10, length=1)
