"""Storing messages and reading them back, in every format."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from acontext_server.kit.blobs import BlobKey, Blobs, PublicUrl, Spool
from acontext_server.kit.database import Database, Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.mime import mime_of
from acontext_server.kit.paging import Cursors
from acontext_server.kit.requests import digest_of
from acontext_server.session import formats
from acontext_server.session.app.appending import Appended, Appender, Chain, Draft
from acontext_server.session.calls import asks_for_call
from acontext_server.session.content import Asset, Content, Format
from acontext_server.session.domain import (
    MAX_ANSWER_BYTES,
    SERVICE,
    Log,
    Message,
    MessageId,
    SessionId,
    SessionNotFound,
)
from acontext_server.session.editing import Entry, Strategy, edit
from acontext_server.session.formats.media import Fetched, Upload
from acontext_server.session.formats.stored import (
    MessageContent,
    Packed,
    pack,
    put_back,
    set_aside,
    unpack,
    unpack_proto,
)
from acontext_server.session.free_json import Json, JsonObject, dump
from acontext_server.session.store import blobs as uses
from acontext_server.session.store import messages as store
from acontext_server.session.store.messages import NewMessage, StoredMessage, Stretch
from acontext_server.session.tokens import count_tokens

PUTTING = timedelta(minutes=10)
"""How long putting a message's bytes may take before they count as left behind."""

URLS_LIVE = timedelta(hours=24)
LARGE_BYTES = 256 << 10
"""From here on a message is read in a thread, so that others need not wait for it."""
READ_AT_ONCE = 1000
END = 2**31 - 1
"""Beyond every sequence."""
IN_FLIGHT = 1000
"""Messages of one stream that wait for their commit at the same time."""
WATCH_BYTES = 4 << 20
"""Of what a watcher catches up with, this much is read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that came with a message, not yet kept."""

    filename: str
    spool: Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRequest:
    """A message as a caller sent it."""

    session_id: SessionId
    form: Format
    blob: Json
    files: dict[str, NewFile] = field(default_factory=dict)
    request_id: UUID | None = None
    size: int = 0
    """Bytes of the blob as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which messages of a session are wanted, and how."""

    form: Format
    limit: int = 0
    """0 means all."""
    cursor: str | None = None
    time_desc: bool = False
    with_urls: bool = True
    strategies: Sequence[Strategy] = ()
    pin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """A page of messages, edited, oldest first."""

    messages: Sequence[Message]
    items: Sequence[tuple[MessageId, JsonObject]]
    """The messages in a provider's form; empty for our own."""
    next_cursor: str | None
    tokens: int
    edited_at: MessageId | None
    urls: dict[str, PublicUrl]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageApp:
    """What can be done with messages."""

    database: Database
    blobs: Blobs
    cursors: Cursors
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

        When one fails, those before it are stored and none after it.
        """
        chain, waiting = Chain(), deque[asyncio.Future[Appended]]()
        count = last = 0
        try:
            async for request in requests:
                waiting.append(self.appender.submit(await self._draft(project_id, request, chain)))
                count += 1
                if len(waiting) > IN_FLIGHT:
                    await waiting.popleft()
            while waiting:
                last = (await waiting.popleft()).message.sequence
        finally:
            await asyncio.gather(*waiting, return_exceptions=True)
        return count, last

    async def _draft(
        self, project_id: ProjectId, request: StoreRequest, chain: Chain | None = None
    ) -> Draft:
        uploads = {name: await _upload(file) for name, file in request.files.items()}
        content, packed, tokens = await self._read(request, uploads)
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
            needs_blobs=await self._put(new, content, packed, request.files, uploads),
            chain=chain,
        )

    async def _read(
        self, request: StoreRequest, uploads: Mapping[str, Upload]
    ) -> tuple[Content, Packed, int]:
        def read() -> tuple[Content, Packed, int]:
            content = formats.read(request.form, request.blob, uploads, self.new_call_id)
            return content, pack(content), count_tokens(content)

        return await asyncio.to_thread(read) if request.size > LARGE_BYTES else read()

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
            await self.blobs.put(_key(project_id, sha256), spool)
        for sha256, data in packed.beside.items():
            async with self.blobs.spool() as spool:
                await spool.write(data)
                await self.blobs.put(_key(project_id, sha256), spool)
        return len(hashes)

    async def _message(self, draft: Draft, appended: Appended) -> Message:
        content = draft.content
        if appended.repeated or asks_for_call(content):
            [content] = await self._contents(draft.new.key[0], [appended.message])
        return _message(appended.message, content, appended.log)

    async def list_messages(
        self, project_id: ProjectId, session_id: SessionId, query: Query
    ) -> MessagePage:
        """Read a page of a session's messages, edit it, and put it into a format."""
        async with self.database.transaction() as tx:
            log = await store.find_log(tx, project_id, session_id)
            if log is None:
                raise SessionNotFound(session_id)
            stretch = await self._stretch(tx, project_id, session_id, query)
        contents = await self._contents(project_id, stretch.messages)
        messages = [
            _message(row, content, log)
            for row, content in zip(stretch.messages, contents, strict=True)
        ]
        fitting = _fitting(messages, query)
        more = stretch.more or len(fitting) < len(messages)
        return await self._page(project_id, session_id, query, fitting, more=more)

    async def _stretch(
        self, tx: Tx, project_id: ProjectId, session_id: SessionId, query: Query
    ) -> Stretch:
        position = self._position(session_id, query)
        limit = query.limit or END - 1
        found: list[StoredMessage] = []
        left = MAX_ANSWER_BYTES
        while True:
            step = min(limit - len(found), READ_AT_ONCE)
            key = (project_id, session_id)
            if query.time_desc:
                stretch = await store.read_down(
                    tx, *key, before=position, limit=step, max_bytes=left
                )
                found = [*stretch.messages, *found]
            else:
                stretch = await store.read_up(tx, *key, after=position, limit=step, max_bytes=left)
                found = [*found, *stretch.messages]
            left -= sum(message.size for message in stretch.messages)
            if not stretch.more or len(stretch.messages) < step or len(found) >= limit or left <= 0:
                return Stretch(found, stretch.more)
            position = found[0 if query.time_desc else -1].sequence

    def _position(self, session_id: SessionId, query: Query) -> int:
        if query.cursor:
            [sequence] = self.cursors.decode(_scope(session_id, query), query.cursor)
            return int(sequence)
        return END if query.time_desc else 0

    async def _page(
        self,
        project_id: ProjectId,
        session_id: SessionId,
        query: Query,
        messages: Sequence[Message],
        *,
        more: bool,
    ) -> MessagePage:
        tools = await self._tools(project_id, session_id, query, messages)
        edited = _edited(messages, query, tools)
        pinned = query.pin in {str(message.id) for message in messages}
        newest = messages[-1].id if messages else None
        cursor = None
        if more and messages:
            last = messages[0 if query.time_desc else -1]
            cursor = self.cursors.encode(_scope(session_id, query), last.sequence)
        return MessagePage(
            messages=edited,
            items=await self._items(project_id, query, edited, tools),
            next_cursor=cursor,
            tokens=sum(message.tokens for message in edited),
            edited_at=MessageId(UUID(query.pin)) if pinned and query.pin else newest,
            urls=self._urls(project_id, query, edited),
        )

    async def _tools(
        self,
        project_id: ProjectId,
        session_id: SessionId,
        query: Query,
        messages: Sequence[Message],
    ) -> Mapping[str, str]:
        """Name the tools of the calls that the page answers, wherever in the session they are."""
        if query.form is not Format.GEMINI and not query.strategies:
            return {}
        tools = {id_: tool for one in messages for id_, tool in one.content.calls().items()}
        answered = {id_ for one in messages for id_ in one.content.answered()}
        if answered <= tools.keys():
            return tools
        async with self.database.transaction() as tx:
            rows = await store.contents_with_tools(tx, project_id, session_id)
        for role, row in rows:
            tools |= unpack(role, unpack_proto(row)).calls()
        return tools

    async def _items(
        self,
        project_id: ProjectId,
        query: Query,
        messages: Sequence[Message],
        tools: Mapping[str, str],
    ) -> list[tuple[MessageId, JsonObject]]:
        if query.form is Format.ACONTEXT:
            return []
        wanted = {
            sha256
            for message in messages
            for sha256 in formats.needs_content(
                query.form, message.content, with_urls=query.with_urls
            )
        }
        fetched = Fetched(
            contents={sha256: await self._bytes(project_id, sha256) for sha256 in wanted},
            urls=self._openai_urls(project_id, query, messages),
        )
        return [
            (message.id, item)
            for message in messages
            for item in formats.write(query.form, message.content, fetched, tools)
        ]

    def _openai_urls(
        self, project_id: ProjectId, query: Query, messages: Sequence[Message]
    ) -> dict[str, str]:
        if query.form is not Format.OPENAI or not query.with_urls:
            return {}
        urls = self._signed(project_id, messages)
        return {sha256: public.url for sha256, public in urls.items()}

    def _urls(
        self, project_id: ProjectId, query: Query, messages: Sequence[Message]
    ) -> dict[str, PublicUrl]:
        if query.form is not Format.ACONTEXT or not query.with_urls:
            return {}
        return self._signed(project_id, messages)

    def _signed(self, project_id: ProjectId, messages: Sequence[Message]) -> dict[str, PublicUrl]:
        return {
            part.asset.sha256: self.blobs.public_url(
                _key(project_id, part.asset.sha256),
                expires_in=URLS_LIVE,
                mime=part.asset.mime,
                filename=part.filename,
            )
            for message in messages
            for part in message.content.parts
            if part.asset
        }

    async def count_tokens(self, project_id: ProjectId, session_id: SessionId) -> int:
        """Count the tokens of a whole session."""
        async with self.database.transaction() as tx:
            log = await store.find_log(tx, project_id, session_id)
        if log is None:
            raise SessionNotFound(session_id)
        return log.tokens

    async def read_after(
        self, project_id: ProjectId, session_id: SessionId, after: int
    ) -> Sequence[Message]:
        """Read the next stretch of a log; empty at its end."""
        async with self.database.transaction() as tx:
            log = await store.find_log(tx, project_id, session_id)
            if log is None:
                raise SessionNotFound(session_id)
            stretch = await store.read_up(
                tx, project_id, session_id, after=after, limit=100, max_bytes=WATCH_BYTES
            )
        contents = await self._contents(project_id, stretch.messages)
        return [
            _message(row, content, log)
            for row, content in zip(stretch.messages, contents, strict=True)
        ]

    async def _contents(
        self, project_id: ProjectId, rows: Sequence[StoredMessage]
    ) -> list[Content]:
        packed = [unpack_proto(row.content) for row in rows]
        await self.put_back(project_id, packed)
        return [unpack(row.role, one) for row, one in zip(rows, packed, strict=True)]

    async def put_back(self, project_id: ProjectId, packed: Sequence[MessageContent]) -> None:
        """Fill in what is kept beside the rows."""
        hashes = {sha256 for content in packed for sha256 in set_aside(content)}
        beside = {sha256: await self._bytes(project_id, sha256) for sha256 in hashes}
        for content in packed:
            put_back(content, beside.__getitem__)

    async def _bytes(self, project_id: ProjectId, sha256: str) -> bytes:
        async with self.blobs.open(_key(project_id, sha256)) as chunks:
            return b"".join([chunk async for chunk in chunks])


def _key(project_id: ProjectId, sha256: str) -> BlobKey:
    return BlobKey(project_id=project_id, service=SERVICE, sha256=sha256)


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


def _message(row: StoredMessage, content: Content, log: Log) -> Message:
    return Message(
        id=row.id,
        session_id=row.session_id,
        sequence=row.sequence,
        parent_id=row.parent_id,
        content=content,
        tokens=row.tokens,
        status=log.status(row.sequence, row.failure),
        task_id=row.task_id,
        failure=row.failure,
        created_at=row.created_at,
        updated_at=row.observed_at or row.created_at,
    )


def _scope(session_id: SessionId, query: Query) -> str:
    return f"messages:{session_id}:{query.time_desc}"


def _fitting(messages: Sequence[Message], query: Query) -> Sequence[Message]:
    """Keep as many messages as fit into an answer together with the uploads that they show."""
    ordered = messages[::-1] if query.time_desc else messages
    size = 0
    for index, message in enumerate(ordered):
        size += _uploads_shown(message, query)
        if index and size > MAX_ANSWER_BYTES:
            kept = ordered[:index]
            return kept[::-1] if query.time_desc else kept
    return messages


def _uploads_shown(message: Message, query: Query) -> int:
    shown = formats.needs_content(query.form, message.content, with_urls=query.with_urls)
    sizes = {part.asset.sha256: part.asset.size_b for part in message.content.parts if part.asset}
    return sum(sizes[sha256] * 4 // 3 for sha256 in shown)


def _edited(
    messages: Sequence[Message], query: Query, tools: Mapping[str, str]
) -> Sequence[Message]:
    if not query.strategies:
        return messages
    entries = [
        Entry(id=str(message.id), content=message.content, tokens=message.tokens)
        for message in messages
    ]
    by_id = {str(message.id): message for message in messages}
    left = edit(entries, query.strategies, pin=query.pin, tools=tools, count=count_tokens)
    return [replace(by_id[entry.id], content=entry.content, tokens=entry.tokens) for entry in left]
