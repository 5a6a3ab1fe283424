"""What every engine that keeps bytes must do, and what only signed tokens do."""

import asyncio
import hashlib
import os
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import urllib3

from acontext_server.kit.blobs import (
    BlobKey,
    BlobMissing,
    Blobs,
    Spool,
    open_blobs,
)
from acontext_server.kit.blobs.s3 import S3Address
from acontext_server.kit.blobs.token import BlobToken, BlobTokens
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId

LARGE = bytes(range(256)) * 12_000
SOON = timedelta(minutes=5)


S3 = [pytest.param(name, marks=pytest.mark.engines) for name in ("minio", "seaweedfs")]


@pytest.fixture(params=["file", *S3])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "file":
        url = f"file://{tmp_path}/a%20folder"
    else:
        url = f"{request.getfixturevalue(f'{request.param}_url')}/contract?secure=false"
    async with open_blobs(url, public_url="http://here:8029", secret=b"s") as opened:
        yield opened


@pytest.fixture(params=S3)
def s3_url(request: pytest.FixtureRequest) -> str:
    server = request.getfixturevalue(f"{request.param}_url")
    return f"{server}/contract?secure=false"


async def test_what_waits_for_a_bucket_has_no_name_that_a_killed_process_leaves_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with Spool() as spool:
        await spool.write(LARGE)
        assert spool.size == len(LARGE)
        for _ in "ab":  # it can be put again
            with spool.open() as data:
                assert data.read() == LARGE
        assert files_below(tmp_path) == []


def wait_until(moment: datetime) -> None:
    # The engine's own clock decides, so there is nothing to ask before.
    threading.Event().wait((moment - datetime.now(UTC)).total_seconds())


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def key_of(data: bytes, *, project_id: ProjectId | None = None, service: str = "disk") -> BlobKey:
    sha256 = hashlib.sha256(data).hexdigest()
    return BlobKey(project_id=project_id or ProjectId(uuid4()), service=service, sha256=sha256)


async def put(blobs: Blobs, key: BlobKey, data: bytes, *, piece: int = 100_000) -> None:
    async with blobs.spool() as spool:
        for start in range(0, len(data), piece):
            await spool.write(data[start : start + piece])
        await blobs.put(key, spool)


async def read(blobs: Blobs, key: BlobKey, *, offset: int = 0, length: int | None = None) -> bytes:
    async with blobs.open(key, offset=offset, length=length) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("data", [b"", b"few", LARGE], ids=["empty", "small", "large"])
async def test_what_was_put_is_read_back(blobs: Blobs, data: bytes) -> None:
    key = key_of(data)
    await put(blobs, key, data)
    assert await read(blobs, key) == data
    stat = await blobs.stat(key)
    assert stat
    assert stat.size == len(data)
    assert abs(datetime.now(UTC) - stat.modified_at) < timedelta(minutes=1)


@pytest.mark.parametrize("size", [0, 3, len(LARGE)])
async def test_a_spool_knows_size_and_hash_and_gives_the_bytes_back(
    blobs: Blobs, size: int
) -> None:
    data = LARGE[:size]
    async with blobs.spool() as spool:
        for start in range(0, size, 70_001):
            await spool.write(data[start : start + 70_001])
        assert (spool.size, spool.sha256) == (size, hashlib.sha256(data).hexdigest())
        assert await spool.read() == data
        assert await spool.read(1, 2) == data[1:3]
        await blobs.put(key_of(data), spool)
        assert await spool.read(size - 2 if size else 0) == data[-2:]


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, 1), (5, 700_000), (1_000_000, None), (len(LARGE) - 1, 10), (len(LARGE), None), (7, 0)],
)
async def test_a_range_is_read(blobs: Blobs, offset: int, length: int | None) -> None:
    key = key_of(LARGE)
    await put(blobs, key, LARGE)
    end = None if length is None else offset + length
    assert await read(blobs, key, offset=offset, length=length) == LARGE[offset:end]


async def test_reading_may_stop_early(blobs: Blobs) -> None:
    key = key_of(LARGE)
    await put(blobs, key, LARGE)
    async with blobs.open(key) as chunks:
        assert LARGE.startswith(await anext(chunks))
    assert await read(blobs, key, length=3) == LARGE[:3]


async def test_missing_bytes_are_missing(blobs: Blobs) -> None:
    key = key_of(b"never put")
    assert await blobs.stat(key) is None
    for length in (None, 0):
        with pytest.raises(BlobMissing):
            await read(blobs, key, length=length)


async def test_the_engine_says_that_bytes_can_be_kept(blobs: Blobs) -> None:
    await blobs.ask_version()


async def test_putting_the_same_bytes_at_once_is_harmless(blobs: Blobs) -> None:
    key = key_of(LARGE)
    await asyncio.gather(*(put(blobs, key, LARGE) for _ in range(4)))
    await put(blobs, key, LARGE)
    assert await read(blobs, key) == LARGE


async def test_deleted_bytes_are_gone_and_can_come_back(blobs: Blobs) -> None:
    key = key_of(b"x")
    await put(blobs, key, b"x")
    await blobs.delete(key)
    await blobs.delete(key)
    assert await blobs.stat(key) is None
    await put(blobs, key, b"x")
    assert await read(blobs, key) == b"x"


@pytest.mark.parametrize("data", [b"few", LARGE], ids=["small", "large"])
async def test_a_spool_can_be_put_again_when_its_bytes_were_removed(
    blobs: Blobs, data: bytes
) -> None:
    key = key_of(data)
    async with blobs.spool() as spool:
        await spool.write(data)
        for _ in range(2):
            await blobs.put(key, spool)
            await blobs.delete(key)
        await blobs.put(key, spool)
    assert await read(blobs, key) == data


async def test_a_service_removes_its_own_bytes_of_one_project_only(blobs: Blobs) -> None:
    mine, project_id = [b"1", b"2"], ProjectId(uuid4())
    for data in mine:
        await put(blobs, key_of(data, project_id=project_id), data)
    others = [key_of(b"1", project_id=project_id, service="session"), key_of(b"1")]
    for key in others:
        await put(blobs, key, b"1")
    await blobs.delete_all(project_id, "disk")
    await blobs.delete_all(project_id, "disk")
    left = [await blobs.stat(key_of(data, project_id=project_id)) for data in mine]
    assert left == [None, None]
    assert all([await blobs.stat(key) for key in others])


async def test_an_abandoned_spool_leaves_nothing_behind(blobs: Blobs, tmp_path: Path) -> None:
    async with blobs.spool() as spool:
        await spool.write(LARGE)
    await spool.close()
    assert files_below(tmp_path) == []


async def test_a_public_url_says_when_it_expires(blobs: Blobs) -> None:
    public = blobs.public_url(key_of(b""), expires_in=SOON, mime="text/plain", filename="a b.txt")
    left = public.expires_at - datetime.now(UTC)
    assert SOON - timedelta(seconds=5) < left <= SOON + timedelta(seconds=1)


async def test_a_presigned_url_opens_without_headers(s3_url: str) -> None:
    async with open_blobs(s3_url, public_url="http://unused", secret=b"s") as blobs:
        key = key_of(b"hello")
        await put(blobs, key, b"hello")
        public = blobs.public_url(key, expires_in=SOON, mime="text/x-test", filename="grüße.txt")
        answer = await asyncio.to_thread(urllib3.request, "GET", public.url)
    assert (answer.status, answer.data) == (200, b"hello")
    assert answer.headers["content-type"] == "text/x-test"
    assert "gr%C3%BC%C3%9Fe.txt" in answer.headers["content-disposition"]


async def test_a_presigned_url_is_signed_for_where_clients_are(s3_url: str) -> None:
    url = f"{s3_url}&public=https://files.example:9000"
    async with open_blobs(url, public_url="http://unused", secret=b"s") as blobs:
        public = blobs.public_url(key_of(b""), expires_in=SOON, mime="text/plain")
    bucket = urlsplit(s3_url).path
    assert public.url.startswith(f"https://files.example:9000{bucket}/")


async def test_a_public_url_lives_as_long_as_was_asked(tmp_path: Path) -> None:
    async with open_blobs(tmp_path.as_uri(), public_url="http://unused", secret=b"s") as blobs:
        asked = datetime.now(UTC)
        soon = timedelta(seconds=1)
        public = blobs.public_url(key_of(b""), expires_in=soon, mime="text/plain")
    assert soon <= public.expires_at - asked <= 2 * soon + timedelta(seconds=1)


async def test_a_presigned_url_ends_and_is_for_its_bytes_only(s3_url: str) -> None:
    async with open_blobs(s3_url, public_url="http://unused", secret=b"s") as blobs:
        one, other = key_of(b"one"), key_of(b"other")
        for key, data in ((one, b"one"), (other, b"other")):
            await put(blobs, key, data)
        public = blobs.public_url(one, expires_in=timedelta(seconds=1), mime="text/plain")
        stolen = public.url.replace(one.sha256, other.sha256)
        refused = await asyncio.to_thread(urllib3.request, "GET", stolen)
        assert refused.status == 403
        await asyncio.to_thread(wait_until, public.expires_at + timedelta(seconds=1.5))
        late = await asyncio.to_thread(urllib3.request, "GET", public.url)
    assert late.status in (400, 403)


async def test_an_engine_that_is_not_there_is_unavailable() -> None:
    url = "s3://key:secret@127.0.0.1:1/bucket?secure=false"
    with pytest.raises(Unavailable):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(open_blobs(url, public_url="", secret=b"s"))


async def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="not ftp"):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(open_blobs("ftp://x", public_url="", secret=b"s"))


def test_an_s3_address_is_secure_and_public_itself_unless_it_says_otherwise() -> None:
    address = S3Address.parse("s3://me:p%40ss@host:9000/bucket?region=eu-north-1")
    assert address == S3Address(
        access_key="me",
        secret_key="p@ss",
        endpoint="host:9000",
        bucket="bucket",
        region="eu-north-1",
        secure=True,
        public_endpoint="host:9000",
        public_secure=True,
    )


async def test_bytes_in_files_survive_a_restart_and_old_leftovers_do_not(tmp_path: Path) -> None:
    key, url = key_of(b"stays"), f"file://{tmp_path}"
    async with open_blobs(url, public_url="", secret=b"s") as before:
        await put(before, key, b"stays")
    leftover, running = tmp_path / ".incoming" / "old", tmp_path / ".incoming" / "new"
    for path in (leftover, running):
        path.write_bytes(b"half")
    os.utime(leftover, (0, 0))
    async with open_blobs(url, public_url="", secret=b"s") as after:
        assert await read(after, key) == b"stays"
    assert (leftover.exists(), running.exists()) == (False, True)


class TestTokens:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    token = BlobToken(
        key=key_of(b"x", project_id=ProjectId(UUID(int=7))),
        mime="text/plain",
        filename="ü.txt",
        expires_at=now + SOON,
    )

    def test_a_token_says_what_was_signed(self) -> None:
        tokens = BlobTokens(b"secret")
        assert tokens.verify(tokens.sign(self.token), now=self.now) == self.token

    def test_a_token_ends_when_it_says(self) -> None:
        tokens = BlobTokens(b"secret")
        text = tokens.sign(self.token)
        assert tokens.verify(text, now=self.now + SOON - timedelta(seconds=1))
        assert tokens.verify(text, now=self.now + SOON) is None

    def test_a_token_of_another_secret_is_refused(self) -> None:
        text = BlobTokens(b"one").sign(self.token)
        assert BlobTokens(b"another").verify(text, now=self.now) is None

    def test_a_token_with_any_character_changed_is_refused(self) -> None:
        tokens = BlobTokens(b"secret")
        text = tokens.sign(self.token)
        for place in range(len(text) - 1):
            other = "A" if text[place] != "A" else "B"
            changed = text[:place] + other + text[place + 1 :]
            assert tokens.verify(changed, now=self.now) is None

    @pytest.mark.parametrize("text", ["", ".", "a.b", "ü.ü", "e30.e30", "\x00", "a" * 5000])
    def test_nonsense_is_refused(self, text: str) -> None:
        assert BlobTokens(b"secret").verify(text, now=self.now) is None
