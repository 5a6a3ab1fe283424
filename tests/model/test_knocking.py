"""An endpoint of models is asked whether it is there, without asking it for anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from acontext_server.kit.config import Settings
from acontext_server.kit.engines import free_port
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.model.knocking import knock


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[str]:
    """Serve an endpoint that says the same to everything, and give its setting."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n"
        writer.write(f'{head}content-length: 11\r\nconnection: close\r\n\r\n{{"data":[]}}'.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"openai://127.0.0.1:{port}/v1?secure=false"


@pytest.mark.parametrize("status", [200, 404, 405])
async def test_one_that_answers_is_there_whether_it_lists_its_models_or_not(status: int) -> None:
    async with answering(status) as url:
        await knock(url, "sk-mine", Settings())


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_one_that_refuses_the_key_or_fails_is_not(status: int) -> None:
    async with answering(status) as url:
        with pytest.raises(Unavailable) as refused:
            await knock(url, "sk-mine", Settings())
    assert str(refused.value.__cause__).startswith(f"{status}:")
    assert "sk-mine" not in str(refused.value.__cause__)


async def test_one_that_is_away_is_not() -> None:
    with pytest.raises(Unavailable):
        await knock(f"openai://127.0.0.1:{free_port()}/v1?secure=false", "sk-mine", Settings())
