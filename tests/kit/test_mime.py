"""What bytes are, by themselves and with a name."""

import gzip
import io
import time
import zipfile

import pytest

from acontext_server.kit.mime import extension_of, mime_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("word/document.xml", "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "filename", "mime"),
    [
        (b"hello\n", "", "text/plain; charset=utf-8"),
        (b"", "empty", "text/plain; charset=utf-8"),
        (b"", "empty.md", "text/markdown; charset=utf-8"),
        (b"# To do", "todo.md", "text/markdown; charset=utf-8"),
        (b"# To do", "TODO.MD", "text/markdown; charset=utf-8"),
        (b"import os", "a.py", "text/x-python; charset=utf-8"),
        (b"import os", "a", "text/plain; charset=utf-8"),
        (b"a,b\n1,2\n", "a.csv", "text/csv; charset=utf-8"),
        (b"BM means bitmap, MZ means Zbikowski", "a.txt", "text/plain; charset=utf-8"),
        (b"plain", "a.png", "text/plain; charset=utf-8"),
        ("grüße".encode("latin-1"), "a.txt", "text/plain"),
        ("grüße".encode("latin-1"), "a.md", "text/markdown"),
        (b'{"a": [1]}', "a.json", "application/json"),
        (b'{"a": [1]}', "a", "application/json"),
        (b'{"a": [1', "a", "text/plain; charset=utf-8"),
        (b'{"a": [1', "a.json", "application/json; charset=utf-8"),
        (b"42", "a", "text/plain; charset=utf-8"),
        (b"[" * 100_000, "a", "text/plain; charset=utf-8"),
        (b"<!DOCTYPE html><html></html>", "a", "text/html; charset=utf-8"),
        (b"\xef\xbb\xbf  <html>", "a", "text/html; charset=utf-8"),
        (b'<?xml version="1.0"?><a/>', "a", "text/xml; charset=utf-8"),
        (b'<?xml version="1.0"?><svg/>', "a", "image/svg+xml; charset=utf-8"),
        (b"%PDF-1.4\nall ascii", "a.txt", "application/pdf"),
        (PNG, "a.png", "image/png"),
        (PNG, "a.md", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "", "image/jpeg"),
        (b"GIF89a\x01\x00\x01\x00", "", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "", "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "a.wav", "audio/wav"),
        (b"ID3\x04\x00\x00\x00\x00", "a.mp3", "audio/mpeg"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00", "", "video/mp4"),
        (gzip.compress(b"x", mtime=0), "a.gz", "application/gzip"),
        (archive(), "a.zip", "application/zip"),
        (archive(), "a", "application/zip"),
        (
            archive(),
            "a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (bytes(range(256)), "a.bin", "application/octet-stream"),
        (b"\x00", "a.txt", "application/octet-stream"),
    ],
)
def test_the_type_is_told_from_the_bytes(data: bytes, filename: str, mime: str) -> None:
    assert mime_of(data, filename) == mime


def test_a_beginning_that_ends_within_a_character_is_still_utf8() -> None:
    beginning = "€".encode()[:2]
    assert mime_of(beginning, cut=True) == "text/plain; charset=utf-8"
    assert mime_of(beginning) == "text/plain"


@pytest.mark.parametrize("data", [b"<!---->" * 100_000, b"\xff" * 1_000_000, b" " * 1_000_000])
def test_no_input_takes_long(data: bytes) -> None:
    started = time.process_time()
    mime_of(data, "a.bin")
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("filename", "extension"),
    [("a.MD", "md"), ("a.tar.gz", "gz"), ("a", ""), (".json", "json"), ("a.", "")],
)
def test_an_extension_follows_the_last_dot(filename: str, extension: str) -> None:
    assert extension_of(filename) == extension
