"""Sessions and their messages."""

import builtins
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any, Unpack, cast

from .._model import moment_of, struct_of
from ..errors import APIError
from ..messages import MessageBlob, blob_json
from ..observer import v1 as observer
from ..session import v1 as pb
from ..types.common import Page, page_of
from ..types.session import (
    EditStrategy,
    FlushResult,
    GetMessagesOutput,
    LearningStatus,
    Message,
    MessageFormat,
    MessageObservingStatus,
    PublicURL,
    Session,
    SessionContext,
    SessionFilter,
    SessionState,
    SessionStatistics,
    SessionWithState,
    StoredMessages,
    TokenCounts,
)
from ..types.task import ReobservedSession, Task
from ..uploads import Upload, normalize_file_upload, read_whole
from .connection import AsyncResource, batches, every_page, new_request_id

_BATCH = 256
_PIECE, _PIECE_BYTES = 32, 1 << 20
"""Messages, and about how many bytes, that go at once in a stream."""
_FLUSH_SECONDS = 40.0
"""A flush answers within 30 s, whatever the time-out of other calls is."""


class AsyncExchange:
    """Messages that are stored together when the block ends well."""

    def __init__(self) -> None:
        self.blobs: list[MessageBlob] = []
        self.stored = StoredMessages(count=0, last_sequence=0)
        """What was kept; filled when the block has ended."""

    def add(self, *blobs: MessageBlob) -> None:
        """Add messages in the order in which they were said."""
        self.blobs.extend(blobs)


class AsyncSessionsAPI(AsyncResource):
    """Conversations: store their messages, read them back, follow them, see their tasks."""

    async def create(
        self,
        *,
        user: str | None = None,
        space_id: str | None = None,
        disable_task_tracking: bool | None = None,
        configs: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> Session:
        """Open an empty session.

        A `user` is made on first sight. Completed tasks are learned in the space, if one is named:
        SpaceNotFound if it is unknown. With a `request_id`, a UUID of your own, the same call gives
        the same session for 24 h, from another process too.
        """
        request = pb.CreateSessionRequest(
            user=user,
            space_id=space_id,
            disable_task_tracking=bool(disable_task_tracking),
            configs=struct_of(configs),
            request_id=request_id or new_request_id(),
        )
        answer = await self._connection.call(self._stubs.sessions.CreateSession, request)
        return Session.of(answer.session)

    async def get(self, session_id: str) -> Session:
        """Return a session without its messages. SessionNotFound if there is none."""
        request = pb.GetSessionRequest(session_id=session_id)
        answer = await self._connection.call(self._stubs.sessions.GetSession, request)
        return Session.of(answer.session)

    get_configs = get

    async def list(
        self,
        *,
        user: str | None = None,
        space_id: str | None = None,
        not_connected: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
        filter_by_configs: Mapping[str, Any] | None = None,
        observing: str | None = None,
        search: str | None = None,
        stored_after: datetime | None = None,
        stored_before: datetime | None = None,
    ) -> Page[Session]:
        """Return a page of 1 to 200 sessions (20) by creation time.

        `not_connected` asks for those without a space and wins over `space_id`;
        `filter_by_configs` for those whose configs contain it; `observing` for those that are
        `observed`, `pending` or `failed`; `search`, up to 1024 characters, for those whose id or
        user's identifier begins like this; `stored_after` and `stored_before` for those in which a
        message was stored from the one time on, and before the other. A datetime without a zone is
        local time. InvalidRequest names what is out of its limits.
        """
        request = _list_request(
            user=user,
            space_id=space_id,
            not_connected=not_connected,
            limit=limit,
            cursor=cursor,
            time_desc=time_desc,
            filter_by_configs=filter_by_configs,
            observing=observing,
            search=search,
            stored_after=stored_after,
            stored_before=stored_before,
        )
        answer = await self._connection.call(self._stubs.sessions.ListSessions, request)
        return page_of(Session, answer)

    def list_all(
        self,
        *,
        user: str | None = None,
        space_id: str | None = None,
        not_connected: bool | None = None,
        time_desc: bool | None = None,
        filter_by_configs: Mapping[str, Any] | None = None,
        observing: str | None = None,
        search: str | None = None,
        stored_after: datetime | None = None,
        stored_before: datetime | None = None,
    ) -> AsyncIterator[Session]:
        """Go through every session, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Session]]:
            return self.list(
                user=user,
                space_id=space_id,
                not_connected=not_connected,
                limit=200,
                cursor=cursor,
                time_desc=time_desc,
                filter_by_configs=filter_by_configs,
                observing=observing,
                search=search,
                stored_after=stored_after,
                stored_before=stored_before,
            )

        return every_page(ask)

    async def list_with_states(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        **which: Unpack[SessionFilter],
    ) -> Page[SessionWithState]:
        """Return a page as `list` does, each session with how far it is observed, in one call.

        A session that is deleted meanwhile is left out, so a page may be short and not the last.
        """
        request = _list_request(limit=limit, cursor=cursor, with_states=True, **which)
        answer = await self._connection.call(self._stubs.sessions.ListSessions, request)
        states = {state.session_id: SessionState.of(state) for state in answer.states.items}
        sessions = [Session.of(item) for item in answer.items if item.id in states]
        return Page(
            items=[SessionWithState(session=one, state=states[one.id]) for one in sessions],
            next_cursor=answer.next_cursor or None,
            has_more=answer.has_more,
        )

    def list_all_with_states(
        self, **which: Unpack[SessionFilter]
    ) -> AsyncIterator[SessionWithState]:
        """Go through every session with how far it is observed, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[SessionWithState]]:
            return self.list_with_states(limit=200, cursor=cursor, **which)

        return every_page(ask)

    async def get_states(self, session_ids: Sequence[str]) -> builtins.list[SessionState]:
        """Say of up to 200 sessions how long they are and how far they are observed."""
        request = pb.ListSessionStatesRequest(session_ids=session_ids)
        answer = await self._connection.call(self._stubs.sessions.ListSessionStates, request)
        return [SessionState.of(item) for item in answer.items]

    async def get_statistics(self) -> SessionStatistics:
        """Count what the project keeps in sessions."""
        request = pb.GetSessionStatisticsRequest()
        answer = await self._connection.call(self._stubs.sessions.GetSessionStatistics, request)
        return SessionStatistics.of(answer)

    async def delete(self, session_id: str) -> None:
        """Remove a session with its messages, their files and its tasks."""
        request = pb.DeleteSessionRequest(session_id=session_id)
        await self._connection.call(self._stubs.sessions.DeleteSession, request)

    async def update_configs(self, session_id: str, *, configs: Mapping[str, Any]) -> None:
        """Replace the whole configs."""
        request = pb.UpdateSessionConfigsRequest(session_id=session_id, configs=struct_of(configs))
        await self._connection.call(self._stubs.sessions.UpdateSessionConfigs, request)

    async def connect_to_space(self, session_id: str, *, space_id: str) -> None:
        """Name the space that learns from the session; what succeeded before is learned then."""
        request = pb.ConnectToSpaceRequest(session_id=session_id, space_id=space_id)
        await self._connection.call(self._stubs.sessions.ConnectToSpace, request)

    async def store_message(
        self,
        session_id: str,
        *,
        blob: MessageBlob,
        format: MessageFormat = "openai",  # noqa: A002 # the published name
        file_field: str | None = None,
        file: Upload | None = None,
        files: Mapping[str, Upload] | None = None,
    ) -> Message:
        """Append one message; it is durable once this returns, and never stored twice.

        The blob is a dict in the form that `format` names, an object of that provider's SDK, or an
        `AcontextMessage`. `files` has the uploads that its parts name by `file_field`; `file` with
        `file_field` is one of them. InvalidMessage names the place that is none of its format.
        """
        request = pb.StoreMessageRequest(
            session_id=session_id,
            format=format,
            blob_json=blob_json(blob),
            files=_files({**(files or {}), **({file_field: file} if file_field and file else {})}),
            request_id=new_request_id(),
        )
        answer = await self._connection.call(self._stubs.sessions.StoreMessage, request)
        return Message.of(answer.message)

    send_message = store_message

    async def store_messages(
        self,
        session_id: str,
        blobs: Iterable[MessageBlob],
        *,
        format: MessageFormat = "openai",  # noqa: A002 # the published name
    ) -> StoredMessages:
        """Append many messages in order, several times faster than one by one.

        Each is stored alone: when one is refused, those before it are kept, and the metadata of the
        error say under `stored` how many they are.
        """
        stored = StoredMessages(count=0, last_sequence=0)
        for batch in batches(blobs, _BATCH):
            requests = [
                pb.StoreMessageRequest(
                    session_id=session_id,
                    format=format,
                    blob_json=blob_json(blob),
                    request_id=new_request_id(),
                )
                for blob in batch
            ]
            try:
                answer = await self._connection.send(
                    self._stubs.sessions.StoreMessages, _pieces(requests)
                )
            except APIError as refusal:
                if of_batch := refusal.metadata.get("stored"):
                    refusal.metadata["stored"] = str(stored.count + int(of_batch))
                raise
            stored = StoredMessages(
                count=stored.count + answer.count, last_sequence=answer.last_sequence
            )
        return stored

    @asynccontextmanager
    async def exchange(
        self,
        session_id: str,
        *,
        format: MessageFormat = "openai",  # noqa: A002 # the published name
    ) -> AsyncIterator[AsyncExchange]:
        """Collect the messages of a whole exchange and store them together at the end.

        When the block raises nothing is stored.
        """
        exchange = AsyncExchange()
        yield exchange
        exchange.stored = await self.store_messages(session_id, exchange.blobs, format=format)

    async def get_messages(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        with_asset_public_url: bool | None = None,
        format: MessageFormat = "openai",  # noqa: A002 # the published name
        time_desc: bool | None = None,
        edit_strategies: Sequence[EditStrategy] | None = None,
        pin_editing_strategies_at_message: str | None = None,
        after_sequence: int = 0,
    ) -> GetMessagesOutput:
        """Return messages, always oldest to newest: all of them, or a page of up to 200.

        Without a limit the answer stops at 64 MiB and says `has_more`. `time_desc` begins with the
        newest page, `after_sequence` behind a message anywhere. Strategies from `acontext.edits`
        shorten what a model gets.
        """
        request = pb.ListMessagesRequest(
            session_id=session_id,
            limit=limit,
            cursor=cursor,
            time_desc=bool(time_desc),
            format=format,
            with_asset_public_url=with_asset_public_url,
            edit_strategies=json.dumps(list(edit_strategies)) if edit_strategies else None,
            pin_editing_strategies_at_message=pin_editing_strategies_at_message,
            after_sequence=after_sequence,
        )
        answer = await self._connection.call(self._stubs.sessions.ListMessages, request)
        return GetMessagesOutput(
            items=_items(answer.items, answer.items_json),
            ids=list(answer.ids),
            next_cursor=answer.next_cursor or None,
            has_more=answer.has_more,
            this_time_tokens=answer.this_time_tokens,
            public_urls={sha: PublicURL.of(url) for sha, url in answer.public_urls.items()} or None,
            edit_at_message_id=answer.edit_at_message_id or None,
        )

    async def list_all_messages(self, session_id: str) -> AsyncGenerator[Message, None]:
        """Go through every message, oldest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get_messages(session_id, limit=200, cursor=cursor, format="acontext")
            for message in page.items:
                yield cast("Message", message)  # what this format gives
            if not page.has_more:
                return
            cursor = page.next_cursor

    async def watch(
        self, session_id: str, *, after_sequence: int = 0
    ) -> AsyncGenerator[Message, None]:
        """Receive every message after a sequence, then each new one as it is stored.

        It goes on where it was when the line or the services break, and ends when the client is
        closed; SessionNotFound when the session is deleted.
        """
        request = pb.WatchSessionRequest(session_id=session_id, after_sequence=after_sequence)
        watch = self._connection.follow(lambda: self._stubs.sessions.WatchSession, request)
        async with aclosing(watch):
            async for answer in watch:
                request.after_sequence = answer.message.sequence
                yield Message.of(answer.message)

    async def get_token_counts(self, session_id: str) -> TokenCounts:
        """Count the tokens (o200k_base) of the whole session."""
        request = pb.GetTokenCountsRequest(session_id=session_id)
        answer = await self._connection.call(self._stubs.sessions.GetTokenCounts, request)
        return TokenCounts.of(answer)

    async def get_context(
        self,
        session_id: str,
        *,
        token_budget: int,
        format: MessageFormat = "openai",  # noqa: A002 # the published name
    ) -> SessionContext:
        """Return what the next model call needs, within a budget of tokens.

        Preferences and closed tasks are condensed into `summary`; what is open stays verbatim.
        """
        request = pb.GetSessionContextRequest(
            session_id=session_id, token_budget=token_budget, format=format
        )
        answer = await self._connection.call(self._stubs.sessions.GetSessionContext, request)
        return SessionContext(
            summary=answer.summary,
            items=_items(answer.items, answer.items_json),
            ids=list(answer.ids),
            tokens=answer.tokens,
        )

    async def flush(self, session_id: str) -> FlushResult:
        """Observe everything stored before this call, and return when that is done.

        After 30 s it returns with status 504 and what is left, and observing goes on.
        """
        request = observer.FlushSessionRequest(session_id=session_id)
        answer = await self._connection.call(
            self._stubs.tasks.FlushSession, request, at_least=_FLUSH_SECONDS
        )
        result = FlushResult(status=answer.status, errmsg=answer.errmsg)
        if answer.HasField("remaining"):
            result["remaining"] = answer.remaining
        return result

    async def get_tasks(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Task]:
        """Return a page of 1 to 200 tasks (20) by order; call `flush` first to have them all."""
        request = observer.ListTasksRequest(
            session_id=session_id, limit=limit, cursor=cursor, time_desc=bool(time_desc)
        )
        answer = await self._connection.call(self._stubs.tasks.ListTasks, request)
        return page_of(Task, answer)

    def list_all_tasks(
        self, session_id: str, *, time_desc: bool | None = None
    ) -> AsyncIterator[Task]:
        """Go through every task of a session, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Task]]:
            return self.get_tasks(session_id, limit=200, cursor=cursor, time_desc=time_desc)

        return every_page(ask)

    async def get_session_summary(self, session_id: str, *, limit: int | None = None) -> str:
        """Tell the tasks of a session with their progress and preferences, as tagged text."""
        tasks = await self.get_tasks(session_id, limit=limit, time_desc=False)
        return "\n".join(_summary(task) for task in tasks.items)

    async def get_learning_status(self, session_id: str) -> LearningStatus:
        """Count the session's successful tasks by whether its space has dealt with them."""
        request = observer.GetLearningStatusRequest(session_id=session_id)
        answer = await self._connection.call(self._stubs.tasks.GetLearningStatus, request)
        return LearningStatus.of(answer)

    async def messages_observing_status(self, session_id: str) -> MessageObservingStatus:
        """Count the session's messages by how far they are observed."""
        request = observer.GetObservingStatusRequest(session_id=session_id)
        answer = await self._connection.call(self._stubs.tasks.GetObservingStatus, request)
        return MessageObservingStatus.of(answer)

    async def retry_failed_messages(self, session_id: str) -> int:
        """Let messages that could not be observed wait to be observed again; return how many."""
        request = observer.RetryFailedMessagesRequest(session_id=session_id)
        answer = await self._connection.call(self._stubs.tasks.RetryFailedMessages, request)
        return answer.count

    async def reobserve(self, session_id: str, *, dry_run: bool = False) -> ReobservedSession:
        """Observe a whole session anew and put the new tasks in place of the old.

        `dry_run` only tells what would change. SessionNotTracked if the session is not observed.
        """
        request = observer.ReobserveSessionRequest(session_id=session_id, dry_run=dry_run)
        answer = await self._connection.call(
            self._stubs.tasks.ReobserveSession, request, at_least=_FLUSH_SECONDS
        )
        return ReobservedSession.of(answer)


def _list_request(
    *,
    limit: int | None,
    cursor: str | None,
    with_states: bool = False,
    **which: Unpack[SessionFilter],
) -> pb.ListSessionsRequest:
    configs = which.get("filter_by_configs")
    return pb.ListSessionsRequest(
        user=which.get("user"),
        space_id=which.get("space_id"),
        not_connected=bool(which.get("not_connected")),
        limit=limit,
        cursor=cursor,
        time_desc=bool(which.get("time_desc")),
        filter_by_configs=None if configs is None else json.dumps(configs),
        observing=which.get("observing"),
        search=which.get("search"),
        stored_after=moment_of(which.get("stored_after")),
        stored_before=moment_of(which.get("stored_before")),
        with_states=with_states,
    )


def _pieces(requests: Iterable[pb.StoreMessageRequest]) -> list[pb.StoreMessagesRequest]:
    pieces: list[pb.StoreMessagesRequest] = []
    room = 0
    for request in requests:
        size = len(request.blob_json)
        if pieces and size <= room and len(pieces[-1].messages) < _PIECE:
            pieces[-1].messages.append(request)
        else:
            pieces.append(pb.StoreMessagesRequest(messages=[request]))
            room = _PIECE_BYTES
        room -= size
    return pieces


def _files(uploads: Mapping[str, Upload]) -> Iterable[pb.FileUpload]:
    for field, upload in uploads.items():
        file = normalize_file_upload(upload)
        yield pb.FileUpload(field=field, filename=file.filename, content=read_whole(file.content))


def _items(items: Iterable[pb.Message], items_json: Iterable[bytes]) -> Any:
    return [Message.of(item) for item in items] or [json.loads(item) for item in items_json]


def _summary(task: Task) -> str:
    lines = [f'<task id="{task.order}" description="{task.data.task_description}">']
    for tag, told in (
        ("progress", task.data.progresses),
        ("user_preference", task.data.user_preferences),
    ):
        if told:
            numbered = [f"{number}. {line}" for number, line in enumerate(told, 1)]
            lines += [f"<{tag}>", *numbered, f"</{tag}>"]
    return "\n".join([*lines, "</task>"])
