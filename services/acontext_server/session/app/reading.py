"""Reading messages back, in every format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from acontext_server.kit.blobs import PublicUrl
from acontext_server.kit.database import Database, Raw
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors
from acontext_server.session import formats
from acontext_server.session.app.contents import Contents
from acontext_server.session.content import Format
from acontext_server.session.domain import (
    MAX_ANSWER_BYTES,
    Message,
    MessageId,
    SessionId,
    SessionNotFound,
)
from acontext_server.session.editing import Entry, Strategy, edit
from acontext_server.session.formats.media import Fetched
from acontext_server.session.formats.stored import readable
from acontext_server.session.free_json import JsonObject
from acontext_server.session.store import messages as store
from acontext_server.session.store.messages import StoredMessage, Stretch
from acontext_server.session.tokens import count_tokens

READ_AT_ONCE = 1000
END = 2**31 - 1
"""Beyond every sequence."""
WATCH_BYTES = 4 << 20
"""Of what a watcher catches up with, this much is read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which messages of a session are wanted, and how."""

    form: Format
    limit: int = 0
    """0 means all."""
    cursor: str | None = None
    after: int = 0
    """A sequence behind which the first page begins; only without time_desc."""
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
class ReadingApp:
    """Gives messages out."""

    database: Database
    contents: Contents
    cursors: Cursors

    async def list_messages(
        self, project_id: ProjectId, session_id: SessionId, query: Query
    ) -> MessagePage:
        """Read a page of a session's messages, edit it, and put it into a format."""
        async with self.database.raw() as connection:
            stretch = await self._stretch(connection, project_id, session_id, query)
        messages = await self.contents.messages(project_id, stretch)
        fitting = _fitting(messages, query)
        more = stretch.more or len(fitting) < len(messages)
        return await self._page(project_id, session_id, query, fitting, more=more)

    async def _stretch(
        self, connection: Raw, project_id: ProjectId, session_id: SessionId, query: Query
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
                    connection, *key, before=position, limit=step, max_bytes=left
                )
            else:
                stretch = await store.read_up(
                    connection, *key, after=position, limit=step, max_bytes=left
                )
            if stretch is None:
                raise SessionNotFound(session_id)
            read = stretch.messages
            found = [*read, *found] if query.time_desc else [*found, *read]
            left -= sum(message.size for message in read)
            if not stretch.more or len(read) < step or len(found) >= limit or left <= 0:
                return replace(stretch, messages=found)
            position = found[0 if query.time_desc else -1].sequence

    def _position(self, session_id: SessionId, query: Query) -> int:
        if query.cursor:
            [sequence] = self.cursors.decode(_scope(session_id, query), query.cursor)
            return int(sequence)
        return END if query.time_desc else query.after

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
        pinned = query.pin and query.pin in {str(message.id) for message in messages}
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
        for said in readable(rows):
            tools |= said.calls()
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
        with_uploads = [message for message in messages if message.content.has_uploads]
        wanted = {
            sha256
            for message in with_uploads
            for sha256 in formats.needs_content(
                query.form, message.content, with_urls=query.with_urls
            )
        }
        fetched = Fetched(
            contents={sha256: await self.contents.fetch(project_id, sha256) for sha256 in wanted},
            urls=self._openai_urls(project_id, query, with_uploads),
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
        urls = self.contents.sign(project_id, messages)
        return {sha256: public.url for sha256, public in urls.items()}

    def _urls(
        self, project_id: ProjectId, query: Query, messages: Sequence[Message]
    ) -> dict[str, PublicUrl]:
        if query.form is not Format.ACONTEXT or not query.with_urls:
            return {}
        return self.contents.sign(project_id, messages)

    async def show(
        self,
        project_id: ProjectId,
        session_id: SessionId,
        messages: Sequence[Message],
        form: Format,
    ) -> MessagePage:
        """Put messages that were picked from a session into a format."""
        return await self._page(project_id, session_id, Query(form=form), messages, more=False)

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
            stretch = await store.read_up(
                tx, project_id, session_id, after=after, limit=100, max_bytes=WATCH_BYTES
            )
        if stretch is None:
            raise SessionNotFound(session_id)
        return await self.contents.messages(project_id, stretch)


def _scope(session_id: SessionId, query: Query) -> str:
    return f"messages:{session_id}:{query.time_desc}"


def _fitting(messages: Sequence[Message], query: Query) -> Sequence[Message]:
    """Keep as many messages as fit into an answer together with the uploads that they show."""
    ordered = messages[::-1] if query.time_desc else messages
    size = 0
    for index, message in enumerate(ordered):
        size += uploads_shown(message, form=query.form, with_urls=query.with_urls)
        if index and size > MAX_ANSWER_BYTES:
            kept = ordered[:index]
            return kept[::-1] if query.time_desc else kept
    return messages


def uploads_shown(message: Message, *, form: Format, with_urls: bool) -> int:
    """Say how many bytes of uploads a message brings into an answer."""
    if not message.content.has_uploads:
        return 0
    shown = formats.needs_content(form, message.content, with_urls=with_urls)
    assets = (part.asset for part in message.content.parts if part.asset)
    return sum(asset.size_b * 4 // 3 for asset in assets if asset.sha256 in shown)


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
    return [by_id[one.id]._replace(content=one.content, tokens=one.tokens) for one in left]
