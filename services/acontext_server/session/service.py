"""SessionService over gRPC."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from uuid import UUID

from google.api.httpbody_pb2 import HttpBody

from acontext.session import v1 as pb
from acontext_server.kit.auth import caller
from acontext_server.kit.blobs import BlobMissing
from acontext_server.kit.errors import InvalidRequest
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.moments import read_moment
from acontext_server.kit.rpc.interceptor import Context
from acontext_server.session import bodies
from acontext_server.session.app.condensing import CondensingApp, SessionContext
from acontext_server.session.app.observing import ObservingApp
from acontext_server.session.app.reading import Query, ReadingApp
from acontext_server.session.app.sessions import NewSession, SessionApp
from acontext_server.session.app.storing import StoreRequest, StoringApp
from acontext_server.session.app.watching import WatchingApp
from acontext_server.session.content import Format
from acontext_server.session.convert import (
    context_to_json,
    context_to_proto,
    from_struct,
    page_to_json,
    page_to_proto,
    refuse_nul,
    to_json,
    to_message,
    to_session,
    to_state,
    to_timestamp,
)
from acontext_server.session.domain import (
    MessageId,
    Observation,
    Observing,
    SessionId,
    SessionState,
    SpaceId,
    TaskId,
)
from acontext_server.session.editing import read_strategies
from acontext_server.session.formats.reading import Field
from acontext_server.session.formats.stored import UNREADABLE
from acontext_server.session.free_json import InvalidJson, JsonObject, encode, parse_text
from acontext_server.session.store.messages import StoredMessage
from acontext_server.session.store.sessions import SessionFilter

DEFAULT_LIMIT = 20
DEFAULT_STRETCH = 32
DEFAULT_SWEEP = 200
TURN = 16
"""After so many messages of one piece, others get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionServicer(pb.SessionServiceServicer):
    """Sessions and their messages."""

    sessions: SessionApp
    storing: StoringApp
    reading: ReadingApp
    condensing: CondensingApp
    watching: WatchingApp
    observing: ObservingApp

    async def CreateSession(
        self, request: pb.CreateSessionRequest, context: Context
    ) -> pb.CreateSessionResponse:
        new = NewSession(
            user=request.user or None,
            space_id=SpaceId(UUID(request.space_id)) if request.space_id else None,
            disable_task_tracking=request.disable_task_tracking,
            configs=from_struct(request.configs, "configs"),
        )
        request_id = UUID(request.request_id) if request.HasField("request_id") else None
        session = await self.sessions.create_session(caller().project_id, new, request_id)
        return pb.CreateSessionResponse(session=to_session(session))

    async def GetSession(
        self, request: pb.GetSessionRequest, context: Context
    ) -> pb.GetSessionResponse:
        session = await self.sessions.get_session(caller().project_id, _id(request.session_id))
        return pb.GetSessionResponse(session=to_session(session))

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        which = SessionFilter(
            space_id=SpaceId(UUID(request.space_id)) if request.space_id else None,
            not_connected=request.not_connected,
            configs=_configs_filter(request.filter_by_configs),
            observing=Observing(request.observing) if request.observing else None,
            stored_after=read_moment(request, "stored_after"),
            stored_before=read_moment(request, "stored_before"),
            search=request.search.replace("\0", ""),
        )
        project_id = caller().project_id
        page = await self.sessions.list_sessions(
            project_id,
            which,
            user=request.user or None,
            limit=request.limit if request.HasField("limit") else DEFAULT_LIMIT,
            cursor=request.cursor or None,
            time_desc=request.time_desc,
        )
        states = None
        if request.with_states:
            ids = [session.id for session in page.items]
            states = _states(await self.sessions.list_states(project_id, ids) if ids else [])
        return pb.ListSessionsResponse(
            items=[to_session(session) for session in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
            states=states,
        )

    async def ListSessionStates(
        self, request: pb.ListSessionStatesRequest, context: Context
    ) -> pb.ListSessionStatesResponse:
        ids = [_id(session_id) for session_id in request.session_ids]
        return _states(await self.sessions.list_states(caller().project_id, ids))

    async def GetSessionStatistics(
        self, request: pb.GetSessionStatisticsRequest, context: Context
    ) -> pb.GetSessionStatisticsResponse:
        counted = await self.sessions.get_statistics(caller().project_id)
        return pb.GetSessionStatisticsResponse(**asdict(counted))

    async def DeleteSession(
        self, request: pb.DeleteSessionRequest, context: Context
    ) -> pb.DeleteSessionResponse:
        await self.sessions.delete_session(caller().project_id, _id(request.session_id))
        return pb.DeleteSessionResponse()

    async def UpdateSessionConfigs(
        self, request: pb.UpdateSessionConfigsRequest, context: Context
    ) -> pb.UpdateSessionConfigsResponse:
        configs = from_struct(request.configs, "configs")
        await self.sessions.update_configs(caller().project_id, _id(request.session_id), configs)
        return pb.UpdateSessionConfigsResponse()

    async def ConnectToSpace(
        self, request: pb.ConnectToSpaceRequest, context: Context
    ) -> pb.ConnectToSpaceResponse:
        space_id = SpaceId(UUID(request.space_id))
        await self.sessions.connect_to_space(caller().project_id, _id(request.session_id), space_id)
        return pb.ConnectToSpaceResponse()

    async def StoreMessage(
        self, request: pb.StoreMessageRequest, context: Context
    ) -> pb.StoreMessageResponse:
        project_id = caller().project_id
        async with bodies.read_files(request, self.storing.contents.blobs) as files:
            new = bodies.read_typed(request, files)
            message = await self.storing.store_message(project_id, new)
        return pb.StoreMessageResponse(message=to_message(message))

    async def StoreMessageJson(
        self, request: pb.StoreMessageJsonRequest, context: Context
    ) -> HttpBody:
        new = bodies.read_json(request.session_id, request.body.data, {})
        return await self._stored(caller().project_id, new)

    async def StoreMessageMultipart(
        self,
        request_iterator: AsyncIterator[pb.StoreMessageMultipartRequest],
        context: Context,
    ) -> HttpBody:
        project_id = caller().project_id
        async with bodies.read_multipart(request_iterator, self.storing.contents.blobs) as new:
            return await self._stored(project_id, new)

    async def _stored(self, project_id: ProjectId, new: StoreRequest) -> HttpBody:
        return _json(to_json(await self.storing.store_message(project_id, new)))

    async def StoreMessages(
        self, request_iterator: AsyncIterator[pb.StoreMessagesRequest], context: Context
    ) -> pb.StoreMessagesResponse:
        project_id = caller().project_id
        async with aclosing(self._read_all(request_iterator)) as requests:
            count, last = await self.storing.store_messages(project_id, requests)
        return pb.StoreMessagesResponse(count=count, last_sequence=last)

    async def _read_all(
        self, stream: AsyncIterator[pb.StoreMessagesRequest]
    ) -> AsyncGenerator[StoreRequest, None]:
        async for piece in stream:
            for number, message in enumerate(_messages(piece), 1):
                if number % TURN == 0:
                    await asyncio.sleep(0)
                if not message.files:  # most have none; to look after some costs as much as storing
                    yield bodies.read_typed(message, {})
                    continue
                async with bodies.read_files(message, self.storing.contents.blobs) as files:
                    yield bodies.read_typed(message, files)

    async def ListMessages(
        self, request: pb.ListMessagesRequest, context: Context
    ) -> pb.ListMessagesResponse:
        query = replace(_query(request, Format.ACONTEXT), after=request.after_sequence)
        page = await self.reading.list_messages(caller().project_id, _id(request.session_id), query)
        return page_to_proto(page, own_form=query.form is Format.ACONTEXT)

    async def ListMessagesJson(
        self, request: pb.ListMessagesJsonRequest, context: Context
    ) -> HttpBody:
        query = _query(request, Format.OPENAI)
        page = await self.reading.list_messages(caller().project_id, _id(request.session_id), query)
        return _json(page_to_json(page, own_form=query.form is Format.ACONTEXT))

    async def WatchSession(
        self, request: pb.WatchSessionRequest, context: Context
    ) -> AsyncIterator[pb.WatchSessionResponse]:
        project_id, session_id = caller().project_id, _id(request.session_id)
        watched = self.watching.watch_session(project_id, session_id, after=request.after_sequence)
        async with aclosing(watched):
            async for messages in watched:
                for message in messages:
                    yield pb.WatchSessionResponse(message=to_message(message))

    async def GetTokenCounts(
        self, request: pb.GetTokenCountsRequest, context: Context
    ) -> pb.GetTokenCountsResponse:
        total = await self.reading.count_tokens(caller().project_id, _id(request.session_id))
        return pb.GetTokenCountsResponse(total_tokens=total)

    async def GetSessionContext(
        self, request: pb.GetSessionContextRequest, context: Context
    ) -> pb.GetSessionContextResponse:
        form = _form(request, Format.ACONTEXT)
        found = await self._condensed(request, form)
        return context_to_proto(found, own_form=form is Format.ACONTEXT)

    async def GetSessionContextJson(
        self, request: pb.GetSessionContextJsonRequest, context: Context
    ) -> HttpBody:
        form = _form(request, Format.OPENAI)
        found = await self._condensed(request, form)
        return _json(context_to_json(found, own_form=form is Format.ACONTEXT))

    async def _condensed(
        self, request: pb.GetSessionContextRequest | pb.GetSessionContextJsonRequest, form: Format
    ) -> SessionContext:
        return await self.condensing.get_session_context(
            caller().project_id, _id(request.session_id), request.token_budget, form
        )

    async def ListUnobservedSessions(
        self, request: pb.ListUnobservedSessionsRequest, context: Context
    ) -> pb.ListUnobservedSessionsResponse:
        page = await self.observing.list_unobserved(
            older_than=request.older_than.ToDatetime(tzinfo=UTC),
            limit=request.limit if request.HasField("limit") else DEFAULT_SWEEP,
            cursor=request.cursor or None,
        )
        items = [
            pb.UnobservedSession(
                project_id=str(one.project_id),
                session_id=str(one.session_id),
                last_sequence=one.last_sequence,
                observed_through=one.observed_through,
            )
            for one in page.items
        ]
        return pb.ListUnobservedSessionsResponse(
            items=items, next_cursor=page.next_cursor, has_more=page.has_more
        )

    async def ReadMessages(
        self, request: pb.ReadMessagesRequest, context: Context
    ) -> pb.ReadMessagesResponse:
        project_id, session_id = caller().project_id, _id(request.session_id)
        if request.message_ids:
            ids = [MessageId(UUID(id_)) for id_ in request.message_ids]
            reading = await self.observing.read_some(project_id, session_id, ids)
        else:
            reading = await self.observing.read_messages(
                project_id,
                session_id,
                after=request.after_sequence,
                limit=request.limit if request.HasField("limit") else DEFAULT_STRETCH,
            )
        place = reading.place
        answer = pb.ReadMessagesResponse(
            last_sequence=reading.log.last_sequence,
            space_id=str(place.space_id) if place.space_id else None,
            user_id=str(place.user_id) if place.user_id else None,
            disable_task_tracking=not place.is_tracked,
        )
        session = str(session_id)
        for row in reading.messages:
            logged = answer.items.add(
                id=str(row.id),
                session_id=session,
                sequence=row.sequence,
                role=row.role,
                created_at=to_timestamp(row.created_at),
                task_id=str(row.task_id) if row.task_id else None,
            )
            await self._fill(project_id, logged, row)
        return answer

    async def _fill(
        self, project_id: ProjectId, logged: pb.LoggedMessage, row: StoredMessage
    ) -> None:
        try:
            logged.content.ParseFromString(row.content)
            if not row.is_whole:
                await self.storing.contents.put_back(project_id, [logged.content])
        except (BlobMissing, *UNREADABLE) as error:
            logged.ClearField("content")
            logged.unreadable = str(error)

    async def RecordObservation(
        self, request: pb.RecordObservationRequest, context: Context
    ) -> pb.RecordObservationResponse:
        observation = Observation(
            observed_through=request.observed_through,
            running_through=request.running_through,
            failures={failure.sequence: failure.reason for failure in request.failures},
            links={link.sequence: _task(link) for link in request.links},
            healed=frozenset(request.healed),
        )
        await self.observing.record(caller().project_id, _id(request.session_id), observation)
        return pb.RecordObservationResponse()

    async def RecordPause(
        self, request: pb.RecordPauseRequest, context: Context
    ) -> pb.RecordPauseResponse:
        until = request.paused_until.ToDatetime(UTC)
        await self.observing.record_pause(caller().project_id, until=until)
        return pb.RecordPauseResponse()


def _messages(piece: pb.StoreMessagesRequest) -> Iterator[pb.StoreMessageRequest]:
    if piece.HasField("message") or not piece.messages:
        yield piece.message
    yield from piece.messages


def _id(text: str) -> SessionId:
    return SessionId(UUID(text))


def _states(states: Sequence[SessionState]) -> pb.ListSessionStatesResponse:
    return pb.ListSessionStatesResponse(items=[to_state(state) for state in states])


def _json(value: JsonObject) -> HttpBody:
    return HttpBody(content_type="application/json", data=encode(value))


def _task(link: pb.TaskLink) -> TaskId | None:
    return TaskId(UUID(link.task_id)) if link.task_id else None


def _query(request: pb.ListMessagesRequest | pb.ListMessagesJsonRequest, form: Format) -> Query:
    return Query(
        form=_form(request, form),
        limit=request.limit,
        cursor=request.cursor or None,
        time_desc=request.time_desc,
        with_urls=not request.HasField("with_asset_public_url") or request.with_asset_public_url,
        strategies=read_strategies(request.edit_strategies),
        pin=request.pin_editing_strategies_at_message.lower() or None,
    )


def _form(
    request: pb.ListMessagesRequest
    | pb.ListMessagesJsonRequest
    | pb.GetSessionContextRequest
    | pb.GetSessionContextJsonRequest,
    default: Format,
) -> Format:
    return Format(request.format) if request.HasField("format") else default


def _configs_filter(text: str) -> JsonObject | None:
    if not text:
        return None
    try:
        value = parse_text(text)
    except InvalidJson as error:
        raise InvalidRequest.of("filter_by_configs", str(error)) from error
    refuse_nul(value, "filter_by_configs")
    return Field(value, "filter_by_configs", InvalidRequest.of).object()
