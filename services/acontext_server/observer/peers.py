"""Session, as the observer asks and tells it: messages in, how far they are observed out."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import orjson
from grpc import aio

from acontext.session import v1 as pb
from acontext_server.kit.auth import Signer
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.legible import legible
from acontext_server.kit.rpc import peer_errors
from acontext_server.observer.agents.engine import Wishes
from acontext_server.observer.agents.transcript import (
    Message,
    Other,
    Part,
    Text,
    ToolCall,
    ToolResult,
)
from acontext_server.observer.domain import (
    Failure,
    MessageId,
    Report,
    SessionId,
    SessionNotFound,
    SpaceId,
    UserId,
)

TIMEOUT = 10.0
READING_TIMEOUT = 30.0
SETTINGS_SECONDS = 5.0
END = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a session's log, and where the session stands."""

    messages: Sequence[Message]
    unreadable: Sequence[Failure]
    last_sequence: int
    space_id: SpaceId | None
    user_id: UserId | None
    is_tracked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unobserved:
    """A session that has waited for too long."""

    project_id: ProjectId
    session_id: SessionId
    last_sequence: int
    observed_through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a project's sessions are observed."""

    turns: int
    idle: timedelta
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for projects that say nothing else."""

    pace: Pace
    wishes: Wishes
    token_budget: int | None


class Sessions:
    """The session service, over gRPC."""

    def __init__(self, channel: aio.Channel, signer: Signer, defaults: Defaults) -> None:
        self._sessions = pb.SessionServiceStub(channel)
        self._projects = pb.ProjectServiceStub(channel)
        self._signer = signer
        self._defaults = defaults
        self._settings: dict[ProjectId, tuple[float, pb.ProjectSettings]] = {}
        self._pauses: dict[ProjectId, float] = {}
        """When a pause is to be told again."""

    async def read(
        self, project_id: ProjectId, session_id: SessionId, *, after: int, limit: int
    ) -> Stretch:
        """Read the log behind a sequence; SessionNotFound if there is no such session."""
        request = pb.ReadMessagesRequest(
            session_id=str(session_id), after_sequence=after, limit=limit
        )
        return await self._read(project_id, session_id, request)

    async def reread(
        self, project_id: ProjectId, session_id: SessionId, message_ids: Sequence[MessageId]
    ) -> Stretch:
        """Read some messages again."""
        request = pb.ReadMessagesRequest(
            session_id=str(session_id), message_ids=[str(one) for one in message_ids]
        )
        return await self._read(project_id, session_id, request)

    async def where(self, project_id: ProjectId, session_id: SessionId) -> Stretch:
        """Ask where a session stands, without its messages."""
        return await self.read(project_id, session_id, after=END, limit=1)

    async def record(self, project_id: ProjectId, session_id: SessionId, report: Report) -> None:
        """Tell how far a session is observed."""
        with _session_errors(session_id):
            await self._sessions.RecordObservation(
                _request(session_id, report),
                metadata=self._signer.metadata(project_id),
                timeout=TIMEOUT,
            )

    async def tell_pause(self, project_id: ProjectId, *, until: datetime, every: timedelta) -> None:
        """Tell that a project's models pause, however often that is found out, at most so often."""
        if self._pauses.get(project_id, 0.0) > time.monotonic():
            return
        request = pb.RecordPauseRequest()
        request.paused_until.FromDatetime(until)
        with peer_errors("session"):
            await self._sessions.RecordPause(
                request, metadata=self._signer.metadata(project_id), timeout=TIMEOUT
            )
        self._pauses[project_id] = time.monotonic() + every.total_seconds()

    async def unobserved(self, *, older_than: datetime) -> AsyncIterator[Unobserved]:
        """Go through the sessions of all projects that wait for too long."""
        request = pb.ListUnobservedSessionsRequest(limit=200)
        request.older_than.FromDatetime(older_than)
        while True:
            with peer_errors("session"):
                page = await self._sessions.ListUnobservedSessions(
                    request, metadata=self._signer.metadata(NOBODY), timeout=TIMEOUT
                )
            for item in page.items:
                yield Unobserved(
                    project_id=ProjectId(UUID(item.project_id)),
                    session_id=SessionId(UUID(item.session_id)),
                    last_sequence=item.last_sequence,
                    observed_through=item.observed_through,
                )
            if not page.has_more:
                return
            request.cursor = page.next_cursor

    async def pace(self, project_id: ProjectId) -> Pace:
        """Say when a project wants to be observed, as it was set a few seconds ago at most."""
        return _pace(await self._settings_of(project_id), self._defaults.pace)

    async def wishes(self, project_id: ProjectId) -> Wishes:
        """Say what a project asks of a model, as fresh as its pace."""
        return _wishes(await self._settings_of(project_id), self._defaults.wishes)

    async def token_budget(self, project_id: ProjectId) -> int | None:
        """Say how many tokens a project's models may take a month; None without a limit."""
        settings = await self._settings_of(project_id)
        if settings.HasField("monthly_token_budget"):
            return settings.monthly_token_budget
        return self._defaults.token_budget

    async def _settings_of(self, project_id: ProjectId) -> pb.ProjectSettings:
        known = self._settings.get(project_id)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + SETTINGS_SECONDS, await self._ask_settings(project_id))
            self._settings[project_id] = known
        return known[1]

    async def _ask_settings(self, project_id: ProjectId) -> pb.ProjectSettings:
        request = pb.GetProjectSettingsRequest(project_id=str(project_id))
        with peer_errors("session"):
            answer = await self._projects.GetProjectSettings(
                request, metadata=self._signer.metadata(project_id), timeout=TIMEOUT
            )
        return answer.settings

    async def _read(
        self, project_id: ProjectId, session_id: SessionId, request: pb.ReadMessagesRequest
    ) -> Stretch:
        with _session_errors(session_id):
            answer = await self._sessions.ReadMessages(
                request, metadata=self._signer.metadata(project_id), timeout=READING_TIMEOUT
            )
        return _stretch(answer)


@contextmanager
def _session_errors(session_id: SessionId) -> Iterator[None]:
    try:
        with peer_errors("session"):
            yield
    except aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise SessionNotFound(session_id) from error
        # Whatever broke over there is no fault of the messages that were asked for.
        raise Unavailable("session") from error


def _pace(settings: pb.ProjectSettings, default: Pace) -> Pace:
    idle = settings.buffer_idle_seconds if settings.HasField("buffer_idle_seconds") else None
    return Pace(
        turns=settings.buffer_turns if settings.HasField("buffer_turns") else default.turns,
        idle=default.idle if idle is None else timedelta(seconds=idle),
        is_on=settings.task_tracking if settings.HasField("task_tracking") else default.is_on,
    )


def _wishes(settings: pb.ProjectSettings, default: Wishes) -> Wishes:
    return Wishes(
        model=settings.models.get("observer", default.model),
        rounds=settings.rounds if settings.HasField("rounds") else default.rounds,
        success_criteria=settings.success_criteria or default.success_criteria,
        failure_criteria=settings.failure_criteria or default.failure_criteria,
    )


def _request(session_id: SessionId, report: Report) -> pb.RecordObservationRequest:
    return pb.RecordObservationRequest(
        session_id=str(session_id),
        observed_through=report.observed_through,
        running_through=report.running_through,
        failures=[
            pb.ObservationFailure(sequence=one.sequence, reason=one.reason)
            for one in report.failures
        ],
        links=[
            pb.TaskLink(sequence=one.sequence, task_id=str(one.task_id) if one.task_id else None)
            for one in report.links
        ],
        healed=report.healed,
    )


def _stretch(answer: pb.ReadMessagesResponse) -> Stretch:
    messages: list[Message] = []
    unreadable: list[Failure] = []
    for logged in answer.items:
        try:
            messages.append(to_message(logged))
        except UnreadableMessage as reason:
            message_id = MessageId(UUID(logged.id))
            failure = Failure(sequence=logged.sequence, message_id=message_id, reason=str(reason))
            unreadable.append(failure)
    return Stretch(
        messages=messages,
        unreadable=unreadable,
        last_sequence=answer.last_sequence,
        space_id=SpaceId(UUID(answer.space_id)) if answer.space_id else None,
        user_id=UserId(UUID(answer.user_id)) if answer.user_id else None,
        is_tracked=not answer.disable_task_tracking,
    )


class UnreadableMessage(Exception):
    """A stored message makes no sense to us; the text says why."""


def to_message(logged: pb.LoggedMessage) -> Message:
    """Read a stored message as an engine does; UnreadableMessage if it cannot be read."""
    if logged.unreadable:
        raise UnreadableMessage(logged.unreadable)
    return Message(
        sequence=logged.sequence,
        id=MessageId(UUID(logged.id)),
        role=logged.role,
        parts=tuple(_part(part) for part in logged.content.parts),
    )


def _part(part: pb.ContentPart) -> Part:
    meta = _meta(part)
    match part.type:
        case "text":
            return Text(text=legible(part.text))
        case "tool-call":
            return ToolCall(
                id=_text(meta, "id"), name=_text(meta, "name"), arguments=_arguments(meta)
            )
        case "tool-result":
            return ToolResult(
                call_id=_text(meta, "tool_call_id"),
                name=_text(meta, "name") or _text(meta, "function_name"),
                text=legible(part.text),
                is_error=meta.get("is_error") is True,
            )
        case other:
            return Other(type=other)


def _meta(part: pb.ContentPart) -> Mapping[str, Any]:
    try:
        meta = orjson.loads(part.meta_json or b"{}")
    except orjson.JSONDecodeError as error:
        raise UnreadableMessage("the meta of a part is no JSON") from error
    if not isinstance(meta, dict):
        raise UnreadableMessage("the meta of a part is no JSON object")
    return meta


def _text(meta: Mapping[str, Any], key: str) -> str:
    value = meta.get(key)
    return legible(value) if isinstance(value, str) else ""


def _arguments(meta: Mapping[str, Any]) -> str:
    value = meta.get("arguments", "")
    return legible(value if isinstance(value, str) else orjson.dumps(value).decode())
