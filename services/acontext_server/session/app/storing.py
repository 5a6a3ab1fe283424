"""Storing messages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from acontext_server.kit.blobs import Spool
from acontext_server.kit.database import Database
from acontext_server.kit.errors import ServiceError, TooLarge, Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.mime import mime_of
from acontext_server.kit.requests import digest_of
from acontext_server.session import formats
from acontext_server.session.app.appending import Appended, Appender, Chain, Draft
from acontext_server.session.app.contents import Contents, to_message
from acontext_server.session.calls import has_results
from acontext_server.session.content import Asset, Content, Format
from acontext_server.session.domain import (
    MAX_ANSWER_BYTES,
    Message,
    MessageId,
    SessionId,
    SessionNotFound,
)
from acontext_server.session.formats.media import Upload
from acontext_server.session.formats.stored import Packed, pack
from acontext_server.session.free_json import Json, dump
from acontext_server.session.store import blobs as uses
from acontext_server.session.store import messages as store
from acontext_server.session.store.messages import NewMessage
from acontext_server.session.tokens import count_tokens

PUTTING = timedelta(minutes=10)
"""How long putting a message's bytes may take before they count as left behind."""
LARGE_BYTES = 256 << 10
"""From here on a message is read in a thread, so that others need not wait for it."""
IN_FLIGHT = 1000
BYTES_IN_FLIGHT = 32 << 20
"""Messages of one stream, and their bytes, that wait for their commit at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that came with a message, not yet kept."""

    filename: str
    spool: Spool


class StoreRequest(NamedTuple):
    """A message as a caller sent it."""

    session_id: SessionId
    form: Format
    blob: Json
    files: Mapping[str, NewFile]
    request_id: UUID | None = None
    size: int = 0
    """Bytes of the blob as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoringApp:
    """Takes messages in."""

    database: Database
    contents: Contents
    appender: Appender
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    new_call_id: Callable[[], str]

    async def store_message(self, project_id: ProjectId, request: StoreRequest) -> Message:
        """Append one message; it is durable when this returns."""
        draft = await self._draft(project_id, request)
        return await self._message(draft, await self.appender.submit(draft))

    async def store_messages(
        self, project_id: ProjectId, requests: AsyncIterator[StoreRequest]
    ) -> tuple[int, int]:
        """Append a stream of messages, and say how many and the last one's sequence.

        When one is refused, those before it are stored and none after it; the error's metadata say
        under `stored` how many those are.
        """
        chain = Chain()
        try:
            await self._submit_all(project_id, requests, chain)
        except ServiceError as error:
            await chain.settle_all()
            raise _first_of(chain, error) from None
        finally:
            await chain.settle_all()
        return chain.stored, chain.last_sequence

    async def _submit_all(
        self, project_id: ProjectId, requests: AsyncIterator[StoreRequest], chain: Chain
    ) -> None:
        async for request in requests:
            self.appender.submit_chained(await self._draft(project_id, request, chain))
            await chain.catch_up(messages=IN_FLIGHT, size=BYTES_IN_FLIGHT)
        self.appender.hurry()
        await chain.catch_up(messages=0, size=0)

    async def _draft(
        self, project_id: ProjectId, request: StoreRequest, chain: Chain | None = None
    ) -> Draft:
        files = request.files
        uploads = {name: await _upload(file) for name, file in files.items()} if files else {}
        if request.size > LARGE_BYTES:
            read = await asyncio.to_thread(self._read, request, uploads)
        else:
            read = self._read(request, uploads)
        content, packed, tokens = read
        beside = uploads or packed.beside
        new = NewMessage(
            id=MessageId(self.new_id()),
            key=(project_id, request.session_id),
            role=content.role,
            content=packed.row,
            size=packed.size,
            tokens=tokens,
            uses_tools=content.uses_tools,
        )
        return Draft(
            new=new,
            content=content,
            request=(request.request_id, _digest(request, uploads)) if request.request_id else None,
            needs_blobs=await self._put(new, content, packed, files, uploads) if beside else 0,
            answers_calls=request.form is Format.GEMINI and has_results(content),
            chain=chain,
        )

    def _read(
        self, request: StoreRequest, uploads: Mapping[str, Upload]
    ) -> tuple[Content, Packed, int]:
        content = formats.read(request.form, request.blob, uploads, self.new_call_id)
        if content.has_uploads:
            _refuse_unreadable(content)
        return content, pack(content), count_tokens(content)

    async def _put(
        self,
        new: NewMessage,
        content: Content,
        packed: Packed,
        files: Mapping[str, NewFile],
        uploads: Mapping[str, Upload],
    ) -> int:
        needed = {part.asset.sha256 for part in content.parts if part.asset}
        spools = {
            upload.asset.sha256: files[name].spool
            for name, upload in uploads.items()
            if upload.asset.sha256 in needed
        }
        hashes = {*packed.beside, *spools}
        if not hashes:
            return 0
        project_id, session_id = new.key
        async with self.database.transaction() as tx:
            if await store.find_log(tx, project_id, session_id) is None:
                raise SessionNotFound(session_id)
            until = self.now() + PUTTING
            await uses.intend(tx, project_id, session_id, new.id, hashes, until=until)
        for sha256, spool in spools.items():
            await self.contents.put(project_id, sha256, spool)
        for sha256, data in packed.beside.items():
            async with self.contents.blobs.spool() as spool:
                await spool.write(data)
                await self.contents.put(project_id, sha256, spool)
        return len(hashes)

    async def _message(self, draft: Draft, appended: Appended) -> Message:
        content = draft.content
        if appended.repeated or draft.answers_calls:
            [content] = await self.contents.of(draft.new.key[0], [appended.message])
        return to_message(appended.message, content, appended.log)


def _first_of(chain: Chain, error: ServiceError) -> BaseException:
    """Return what went wrong first: a message may be refused while those before it are stored."""
    first = chain.failure or error
    if isinstance(first, ServiceError) and not isinstance(first, Unavailable):
        # Of what is unavailable nobody knows, and it is told to others too.
        first.metadata["stored"] = str(chain.stored)
    return first


def _refuse_unreadable(content: Content) -> None:
    """Refuse what no answer could hold: parts may show the same upload many times."""
    shown = sum(part.asset.size_b * 4 // 3 for part in content.parts if part.asset)
    if shown > MAX_ANSWER_BYTES:
        raise TooLarge("the message with the files that its parts show", MAX_ANSWER_BYTES)


async def _upload(file: NewFile) -> Upload:
    data = await file.spool.read()
    mime = await asyncio.to_thread(mime_of, data, file.filename)
    asset = Asset(sha256=file.spool.sha256, mime=mime, size_b=file.spool.size)
    return Upload(asset, file.filename)


def _digest(request: StoreRequest, uploads: Mapping[str, Upload]) -> bytes:
    files = sorted((name, upload.asset.sha256) for name, upload in uploads.items())
    names = [text.encode() for file in files for text in file]
    what = (request.session_id.bytes, request.form.encode(), dump(request.blob).encode())
    return digest_of(*what, *names)
