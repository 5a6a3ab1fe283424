"""Archives are streams, and bytes stay while one is written."""

import io
import tracemalloc
from collections.abc import AsyncIterator

import psycopg
import pytest

from acontext_server.kit.config import Settings
from acontext_server.kit.database import open_database
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.transfer import (
    ArchiveBroken,
    ArchiveReader,
    bytes_stay,
    insist_on_removing,
    may_remove,
    write_archive,
)

STREAMS = {"rows/a": [], "rows/b": [b"one\n", b"", b"two\n"], "blobs/c": [b"x" * 7_000_000] * 2}


async def chunks_of(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def written() -> bytes:
    file = io.BytesIO()
    async with write_archive(file, {"format": 1}) as writer:
        for name, parts in STREAMS.items():
            assert await writer.add(name, chunks_of(parts)) == len(b"".join(parts))
    return file.getvalue()


async def read(data: bytes) -> tuple[object, dict[str, bytes]]:
    reader = ArchiveReader(io.BytesIO(data))
    manifest, found = await reader.manifest(), {}
    async for stream in reader.streams():
        found[stream.name] = b"".join([chunk async for chunk in stream.chunks])
    return manifest, found


async def test_what_was_written_is_read() -> None:
    manifest, found = await read(await written())
    assert manifest == {"format": 1}
    assert found == {name: b"".join(parts) for name, parts in STREAMS.items()}


@pytest.mark.parametrize("kept", [0, 1, 511, 5_000, 9_000_000, -30 * 512])
async def test_an_archive_that_was_cut_off_is_noticed(kept: int) -> None:
    data = await written()
    with pytest.raises(ArchiveBroken):
        await read(data[:kept])


async def test_a_changed_byte_is_noticed() -> None:
    data = bytearray(await written())
    data[data.index(b"two\n")] ^= 1
    with pytest.raises(ArchiveBroken, match="damaged"):
        await read(bytes(data))


async def test_an_archive_that_was_not_finished_is_no_archive() -> None:
    file = io.BytesIO()

    async def write_half() -> None:
        async with write_archive(file, {}) as writer:
            await writer.add("rows/a", chunks_of([b"x"]))
            raise LookupError

    with pytest.raises(LookupError):
        await write_half()
    with pytest.raises(ArchiveBroken, match="cut off"):
        await read(file.getvalue())


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]  # bytes-like


async def test_neither_size_nor_number_of_streams_costs_memory() -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    async def grown(streams: int) -> int:
        tracemalloc.start()
        async with write_archive(Nowhere(), {}) as writer:  # type: ignore[arg-type]
            await writer.add("large", large())
            for number in range(streams):
                await writer.add(f"blobs/{number:064}", chunks_of([b"y"]))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert await grown(1_500) < 24_000_000


async def test_bytes_stay_while_they_are_copied(settings: Settings) -> None:
    url = settings.database_url
    async with open_database(url, pool=1) as database:
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection, bytes_stay(connection), database.transaction() as tx:
            assert not await may_remove(tx)
            with pytest.raises(Unavailable):
                await insist_on_removing(tx)
        async with database.transaction() as tx:
            assert await may_remove(tx)
