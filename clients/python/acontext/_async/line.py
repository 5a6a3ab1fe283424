"""The channel of the asyncio client. Written by hand, as its twin in `_sync` is."""

import asyncio
from asyncio import sleep as sleep
from typing import BinaryIO

import grpc
from grpc import aio
from grpc.aio import Channel as Channel
from grpc.aio import StreamUnaryMultiCallable as StreamUnary
from grpc.aio import UnaryStreamMultiCallable as UnaryStream
from grpc.aio import UnaryUnaryMultiCallable as UnaryUnary

from .._settings import Address
from .stubs import AsyncStubs

__all__ = ["Channel", "StreamUnary", "UnaryStream", "UnaryUnary", "sleep"]


class AsyncLine:
    """A channel that is opened by the first call, anew in every event loop."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._channel: aio.Channel | None = None
        self._stubs: AsyncStubs | None = None

    @property
    def stubs(self) -> AsyncStubs:
        """What calls are made with."""
        if self.closed:
            raise ValueError("this client is closed")
        loop = asyncio.get_running_loop()
        if self._stubs is None or self._loop is not loop:
            self._loop = loop
            self._channel = self._open()
            self._stubs = AsyncStubs(self._channel)
        return self._stubs

    async def close(self) -> None:
        """End every call and the channel."""
        self.closed = True
        if self._channel is not None and self._loop is asyncio.get_running_loop():
            await self._channel.close()
        self._channel = self._stubs = self._loop = None

    def _open(self) -> aio.Channel:
        address = self.address
        if not address.secure:
            return aio.insecure_channel(address.target, options=address.options)
        credentials = grpc.ssl_channel_credentials(address.root_certificates)
        return aio.secure_channel(address.target, credentials, options=address.options)


async def read(file: BinaryIO, size: int) -> bytes:
    """Read from a file without holding up the event loop."""
    return await asyncio.to_thread(file.read, size)
