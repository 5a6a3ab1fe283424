"""Which files are handed out as text."""

import pytest

from acontext_server.disk.content import LARGEST_CONTENT, content_type_of, text_of

PLAIN = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"


@pytest.mark.parametrize(
    ("filename", "mime", "data", "kind"),
    [
        ("a.json", "application/json", b'{"a":1}', "json"),
        ("a", "application/json", b"[]", "json"),
        ("a.json", "application/json; charset=utf-8", b"{", None),
        ("a.json", "application/json", b"", None),
        ("a.json", BINARY, b"[" * 100_000, None),
        ("a.csv", "text/csv; charset=utf-8", b'a,b\r\n1,"x\ny"\r\n', "csv"),
        ("a", "text/csv", b"a,b", "csv"),
        ("a.csv", "text/csv", b"", "csv"),
        ("a.csv", "text/csv", b'a,b\n1,"open', None),
        ("a.csv", "text/csv", b'a,b\n1,"x"y', None),
        ("a.csv", "text/csv", b"a\n" + b"x" * 1_000_000, "csv"),
        ("a.py", "text/x-python", b"print(1)", "code"),
        ("A.PY", "text/x-python", b"print(1)", "code"),
        ("build.dockerfile", "text/x-dockerfile", b"FROM x", "code"),
        ("a.sql", "application/sql", b"select 1", "code"),
        ("a.txt", PLAIN, b"", "text"),
        ("a.yml", "application/yaml", b"a: 1", "text"),
        ("Dockerfile", PLAIN, b"FROM x", "text"),
        ("a.unknown", "text/x-new", b"x", "text"),
        ("a.log", BINARY, b"\x00\x01", "text"),
        ("a.png", "image/png", b"\x89PNG", None),
        ("a", BINARY, b"x", None),
        ("a.svg", "image/svg+xml", b"<svg/>", None),
    ],
)
def test_the_first_kind_that_fits_and_parses(
    filename: str, mime: str, data: bytes, kind: str | None
) -> None:
    assert content_type_of(filename, mime, data) == kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"x" * LARGEST_CONTENT, "text"),
        (b"x" * (LARGEST_CONTENT + 1), None),
        (b"\xff" * LARGEST_CONTENT, "text"),
        (b"\0" * LARGEST_CONTENT, None),
        (b"<" * LARGEST_CONTENT, None),
    ],
    ids=["largest", "too large", "all replaced", "all NUL", "all escaped"],
)
def test_text_that_no_answer_holds_is_not_handed_out(data: bytes, kind: str | None) -> None:
    assert content_type_of("a.txt", PLAIN, data) == kind


def test_what_is_not_utf8_is_replaced() -> None:
    assert text_of(b"a\xffb\0\xef\xbb\xbf") == "a\ufffdb\0\ufeff"
