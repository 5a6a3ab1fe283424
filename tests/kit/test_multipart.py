"""Forms as clients send them, cut anywhere, and forms that are broken or too large."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from acontext_server.kit.blobs import Spool
from acontext_server.kit.errors import TooLarge
from acontext_server.kit.multipart import BrokenForm, Form, FormLimits, read_form

CONTENT_TYPE = "multipart/form-data; boundary=xyz"
LIMITS = FormLimits(body_bytes=4_000_000, file_bytes=3_000_000, field_bytes=1000, parts=5)
Opened = Callable[..., AbstractAsyncContextManager[Form]]
FILE = b"\r\n--xy\r\n\x00\xff" * 200_000


def part(disposition: str, data: bytes, *more: str) -> bytes:
    headers = [f"Content-Disposition: form-data; {disposition}", *more]
    return b"--xyz\r\n" + "\r\n".join(headers).encode() + b"\r\n\r\n" + data + b"\r\n"


def form_of(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xyz--\r\n"


async def pieces(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    @asynccontextmanager
    async def opened(
        body: bytes, *, size: int = 65_536, content_type: str = CONTENT_TYPE
    ) -> AsyncIterator[Form]:
        stream = pieces(body, size)
        async with read_form(
            content_type, stream, spool=lambda: Spool(tmp_path), limits=LIMITS
        ) as form:
            yield form

    return opened


@pytest.mark.parametrize("size", [1, 3, 10_007, 1 << 20])
async def test_a_form_reads_the_same_however_it_is_cut(opened: Opened, size: int) -> None:
    file = FILE[: 3000 if size < 10 else None]
    body = form_of(
        part('name="file_path"', b"/todo/"),
        part('name="file"; filename="todo.md"', file, "Content-Type: application/octet-stream"),
        part('name="meta"', '{"größe": 1}'.encode()),
    )
    async with opened(body, size=size) as form:
        assert form.fields == {"file_path": "/todo/", "meta": '{"größe": 1}'}
        upload = form.files["file"]
        assert upload.filename == "todo.md"
        assert upload.spool.size == len(file)
        assert upload.spool.sha256 == hashlib.sha256(file).hexdigest()
        assert await upload.spool.read() == file


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('name="f"; filename="größe 1.md"', "größe 1.md"),
        ("name=\"f\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.md", "größe 1.md"),
        ('name="f"; filename="x.md"; filename*=utf-8\'\'%E2%82%AC.md', "€.md"),
        ('name="f"; filename*=utf-8\'\'%E2%82%AC.md; filename="x.md"', "€.md"),
        ("name=\"f\"; filename*=iso-8859-1''%FC.md", "ü.md"),
        ('name="f"; filename="a; filename*=utf-8\'\'b.md"', "a; filename*=utf-8''b.md"),
        ('name="f"; filename="a%22b.md"', 'a"b.md'),
        ('name="f"; filename="/etc/up/../todo.md"', "todo.md"),
        ("name=\"f\"; filename*=utf-8''%2Fetc%2Ftodo.md", "todo.md"),
        ('name="f"; filename="C:\\dir\\todo.md"', "todo.md"),
        ('name="f"; filename=""', ""),
        ('name="f"; filename="dir/"', ""),
    ],
)
async def test_a_file_is_named_in_any_form_and_without_directories(
    opened: Opened, disposition: str, filename: str
) -> None:
    async with opened(form_of(part(disposition, b"x"))) as form:
        assert form.files["f"].filename == filename


async def test_a_part_without_a_file_name_is_text(opened: Opened) -> None:
    async with opened(form_of(part('name="file"', b"x"))) as form:
        assert (form.fields, form.files) == ({"file": "x"}, {})


async def test_spooled_files_are_removed_with_the_form(opened: Opened, tmp_path: Path) -> None:
    async with opened(form_of(part('name="f"; filename="x"', FILE))) as form:
        assert await form.files["f"].spool.read(0, 4) == FILE[:4]
        assert files_in(tmp_path)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "Unexpected end"),
        (b"not a form at all", "Unexpected end"),
        (form_of(part('name="a"', b"x"))[:-6], "Unexpected end"),
        (b"--other\r\n\r\n--other--\r\n", "Unexpected end"),
        (b"--xyz\r\n\r\nx\r\n--xyz--\r\n", "Missing Content-Disposition"),
        (b"--xyz\r\nContent-Disposition: attachment\r\n\r\nx\r\n--xyz--", "Wrong type"),
        (b"--xyz\r\n\xff: x\r\n\r\nx\r\n--xyz--", "decode"),
        (form_of(part('name="a"', b"\xff")), "the field a is not UTF-8"),
        (form_of(part('name="a"', b"1"), part('name="a"', b"2")), "the part a is there twice"),
        (form_of(part("name=\"a\"; filename*=utf-8''%FF", b"")), "filename"),
        (form_of(part("name=\"a\"; filename*=nonsense''x", b"")), "filename"),
        (form_of(*(part(f'name="{i}"', b"") for i in range(6))), "Maximum segment count"),
    ],
)
async def test_a_broken_form_names_the_rule(opened: Opened, body: bytes, rule: str) -> None:
    with pytest.raises(BrokenForm, match=rule):
        async with opened(body):
            pass


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", 'multipart/form-data; boundary=""'],
)
async def test_a_content_type_that_is_no_form_is_refused(opened: Opened, content_type: str) -> None:
    with pytest.raises(BrokenForm):
        async with opened(form_of(), content_type=content_type):
            pass


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (form_of(part('name="a"', b"x" * 1001)), "the field a"),
        (form_of(part('name="a"; filename="b"', b"x" * 3_000_001)), "the file a"),
        (form_of(part('name="a"; filename="b"', b"x" * 4_000_001)), "the file a"),
        (b"\r\n" * 2_000_001, "the body"),
    ],
)
async def test_a_form_over_a_limit_says_what_is_too_large(
    opened: Opened, body: bytes, what: str, tmp_path: Path
) -> None:
    with pytest.raises(TooLarge, match=what):
        async with opened(body):
            pass
    assert files_in(tmp_path) == []


async def test_exactly_the_limit_passes(opened: Opened) -> None:
    body = form_of(part('name="f"; filename="x"', b"x" * 3_000_000), part('name="t"', b"y" * 1000))
    async with opened(body) as form:
        assert form.files["f"].spool.size == 3_000_000


async def test_the_rest_of_a_refused_form_is_read_up_to_a_limit(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part('name="a"', b"\xff")
        while True:
            sent += 1
            yield b"x" * 100_000

    with pytest.raises(TooLarge):
        async with read_form(CONTENT_TYPE, endless(), spool=lambda: Spool(tmp_path), limits=LIMITS):
            pass
    assert 40 < sent < 100


async def test_a_sender_that_fails_leaves_no_file_behind(tmp_path: Path) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b'--xyz\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n'
        yield FILE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        async with read_form(CONTENT_TYPE, failing(), spool=lambda: Spool(tmp_path), limits=LIMITS):
            pass
    assert files_in(tmp_path) == []
