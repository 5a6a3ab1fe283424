"""The public way out: bytes of any service, for whoever holds a token that we signed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from acontext_server.disk.domain import BlobNotFound
from acontext_server.kit.blobs import Blobs
from acontext_server.kit.blobs.token import BlobToken, BlobTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """What a token opens."""

    token: BlobToken
    size: int


class PublicApp:
    """Opens public URLs of files kept as files; an engine that signs URLs serves them itself."""

    def __init__(self, blobs: Blobs, tokens: BlobTokens, *, now: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._tokens = tokens
        self._now = now

    async def find(self, text: str) -> PublicFile:
        """Read a token. Foreign and expired ones, and those of removed bytes, look the same."""
        token = self._tokens.verify(text, now=self._now())
        stat = await self._blobs.stat(token.key) if token else None
        if token is None or stat is None:
            raise BlobNotFound
        return PublicFile(token=token, size=stat.size)

    def open(
        self, file: PublicFile, *, offset: int, length: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read bytes of what a token opens."""
        return self._blobs.open(file.token.key, offset=offset, length=length)
