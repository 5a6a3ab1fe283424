"""The context of a session within a budget of tokens."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from acontext_server.kit.database import Database
from acontext_server.kit.ids import ProjectId
from acontext_server.session.app.reading import END, MessagePage, ReadingApp, uploads_shown
from acontext_server.session.condensing import Picked, TaskNote, pick, summarise
from acontext_server.session.content import Format
from acontext_server.session.domain import (
    MAX_ANSWER_BYTES,
    Message,
    SessionId,
    SessionNotFound,
    TaskId,
)
from acontext_server.session.store import messages as store
from acontext_server.session.tokens import count_text

READ_AT_ONCE = 200
MAX_LOOKED_AT = 2000
"""Older messages are not looked at, however many of the newer ones belong to closed tasks."""

ListTasks: TypeAlias = Callable[[ProjectId, SessionId], Awaitable[Sequence[TaskNote]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext:
    """A summary and the messages that follow it."""

    summary: str
    page: MessagePage
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CondensingApp:
    """Makes contexts for the next model call."""

    database: Database
    reading: ReadingApp
    list_tasks: ListTasks
    """Asks the service that owns tasks."""

    async def get_session_context(
        self, project_id: ProjectId, session_id: SessionId, budget: int, form: Format
    ) -> SessionContext:
        """Condense closed tasks, keep the newest other messages, and never exceed the budget."""
        await self.reading.count_tokens(project_id, session_id)  # is there such a session?
        notes = await self.list_tasks(project_id, session_id)
        closed = frozenset(note.id for note in notes if note.is_closed)
        least = summarise(notes, budget=budget, share=budget // 2, count=count_text)
        picked = await self._pick(project_id, session_id, closed, budget - least.tokens, form)
        page = await self.reading.show(project_id, session_id, picked.messages, form)
        left = budget - page.tokens
        summary = summarise(notes, budget=budget, share=left, count=count_text)
        return SessionContext(summary=summary.text, page=page, tokens=summary.tokens + page.tokens)

    async def _pick(
        self,
        project_id: ProjectId,
        session_id: SessionId,
        closed: frozenset[TaskId],
        budget: int,
        form: Format,
    ) -> Picked:
        """Read ever older messages until they add nothing."""
        weigh = partial(uploads_shown, form=form, with_urls=True)
        looked_at: list[Message] = []
        before, room = END, MAX_ANSWER_BYTES
        while True:
            older, size, more = await self._read(project_id, session_id, before, room)
            looked_at = [*older, *looked_at]
            room -= size
            picked = pick(looked_at, closed, budget=budget, room=room, weigh=weigh)
            if picked.is_full or not more or len(looked_at) >= MAX_LOOKED_AT or room <= 0:
                return picked
            before = looked_at[0].sequence

    async def _read(
        self, project_id: ProjectId, session_id: SessionId, before: int, room: int
    ) -> tuple[Sequence[Message], int, bool]:
        async with self.database.transaction() as tx:
            stretch = await store.read_down(
                tx, project_id, session_id, before=before, limit=READ_AT_ONCE, max_bytes=room
            )
        if stretch is None:
            raise SessionNotFound(session_id)
        messages = await self.reading.contents.messages(project_id, stretch)
        return messages, sum(row.size for row in stretch.messages), stretch.more
