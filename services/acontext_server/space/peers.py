"""What space asks of session and observer, in space's own words."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
import orjson
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext_server.kit.auth import Signer
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.legible import legible
from acontext_server.kit.rpc import peer_errors
from acontext_server.kit.rpc.clients import PEER_SECONDS
from acontext_server.space.agents.payload import parsed
from acontext_server.space.domain.errors import TokenBudgetUsedUp
from acontext_server.space.domain.experience import (
    Call,
    DifficultyRule,
    Experience,
    Result,
    Text,
    Turn,
    Wishes,
)
from acontext_server.space.domain.spaces import LearningSettings

SETTINGS_SECONDS = 5.0
"""How long a project's settings are believed."""
PAGE = 200


class Peers:
    """The other services, on behalf of a project."""

    def __init__(
        self,
        session_channel: aio.Channel,
        observer_channel: aio.Channel,
        *,
        signer: Signer,
        defaults: LearningSettings,
    ) -> None:
        self._projects = session.ProjectServiceStub(session_channel)
        self._sessions = session.SessionServiceStub(session_channel)
        self._tasks = observer.TaskServiceStub(observer_channel)
        self._runs = observer.RunServiceStub(observer_channel)
        self._signer = signer
        self._defaults = defaults
        self._settings: dict[ProjectId, tuple[float, LearningSettings]] = {}

    async def session_exists(self, project_id: ProjectId, session_id: UUID) -> bool:
        """Ask whether the project has such a session."""
        request = session.GetSessionRequest(session_id=str(session_id))
        with peer_errors("session"):
            try:
                await self._sessions.GetSession(request, **self._call(project_id))
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return False
                raise
        return True

    async def settings(self, project_id: ProjectId) -> LearningSettings:
        """Read what a project asks of learning; at most 5 seconds old."""
        known = self._settings.get(project_id)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + SETTINGS_SECONDS, await self._ask_settings(project_id))
            self._settings[project_id] = known
        return known[1]

    async def _ask_settings(self, project_id: ProjectId) -> LearningSettings:
        request = session.GetProjectSettingsRequest()
        with peer_errors("session"):
            answer = await self._projects.GetProjectSettings(request, **self._call(project_id))
        return _settings(answer.settings, self._defaults)

    async def check_budget(self, project_id: ProjectId) -> None:
        """Let a model be asked, or raise TokenBudgetUsedUp."""
        if (await self.settings(project_id)).token_budget is None:
            return
        request = observer.GetTokenUseRequest()
        with peer_errors("observer"):
            answer = await self._runs.GetTokenUse(request, **self._call(project_id))
        if answer.token_use.paused:
            raise TokenBudgetUsedUp(answer.token_use.month, answer.token_use.budget)

    async def experience(self, project_id: ProjectId, task_id: UUID) -> Experience | None:
        """Read a task with its messages; None when it is gone or no longer a success."""
        request = observer.GetTaskContextRequest(task_id=str(task_id))
        with peer_errors("observer"):
            try:
                context = await self._tasks.GetTaskContext(request, **self._call(project_id))
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise
        if context.task.status != "success":
            return None
        return Experience(
            description=context.task.data.task_description,
            preferences=tuple(context.task.data.user_preferences),
            turns=await self._turns(project_id, context),
            earlier=tuple(_earlier(context.earlier)),
        )

    async def _turns(
        self, project_id: ProjectId, context: observer.GetTaskContextResponse
    ) -> tuple[Turn, ...]:
        wanted = [one.message_id for one in context.messages]
        turns: list[Turn] = []
        for start in range(0, len(wanted), PAGE):
            request = session.ReadMessagesRequest(
                session_id=context.task.session_id, message_ids=wanted[start : start + PAGE]
            )
            with peer_errors("session"):
                page = await self._sessions.ReadMessages(request, **self._call(project_id))
            turns.extend(map(_turn, page.items))
        return tuple(turns)

    async def ended_tasks(
        self, project_id: ProjectId, task_ids: Sequence[str]
    ) -> Sequence[tuple[UUID, str, datetime]]:
        """Read which of some tasks have ended: id, status and time."""
        ended: list[tuple[UUID, str, datetime]] = []
        for task_id in task_ids:
            task = await self._task(project_id, task_id)
            if task is not None and task.status in ("success", "failed"):
                ended.append((UUID(task.id), task.status, _time(task.updated_at)))
        return ended

    async def _task(self, project_id: ProjectId, task_id: str) -> observer.Task | None:
        request = observer.GetTaskRequest(task_id=task_id)
        with peer_errors("observer"):
            try:
                return (await self._tasks.GetTask(request, **self._call(project_id))).task
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                raise

    def _call(self, project_id: ProjectId) -> dict[str, Any]:
        return {"metadata": self._signer.metadata(project_id), "timeout": PEER_SECONDS}


def _settings(said: session.ProjectSettings, default: LearningSettings) -> LearningSettings:
    """Read what a project says itself; the rest is as the server was set."""
    chosen: dict[str, Any] = {
        name: getattr(said, name)
        for name in ("learning", "minimum_difficulty", "confirmation", "search_threshold")
        if said.HasField(name)
    }
    if said.HasField("monthly_token_budget"):
        chosen["token_budget"] = said.monthly_token_budget
    if said.difficulty_rules:
        chosen["difficulty_rules"] = tuple(
            DifficultyRule(rule.text, is_critical=rule.weight == "critical")
            for rule in said.difficulty_rules
        )
    rounds = said.rounds if said.HasField("rounds") else 0
    return replace(default, wishes=Wishes(dict(said.models), rounds), **chosen)


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def _earlier(tasks: Sequence[observer.Task]) -> Iterator[str]:
    for task in tasks:
        yield from (task.data.task_description, *task.data.user_preferences)


def _turn(message: session.LoggedMessage) -> Turn:
    parts = tuple(part for one in message.content.parts for part in _part(one))
    return Turn(message.id, message.role, parts)


def _part(part: session.ContentPart) -> Iterator[Text | Call | Result]:
    meta = _meta(part.meta_json)
    if part.type == "text":
        yield Text(legible(part.text))
    elif part.type == "tool-call":
        arguments = meta.get("arguments")
        read = parsed(legible(arguments)) if isinstance(arguments, str) else arguments
        yield Call(str(meta.get("id") or ""), str(meta.get("name") or ""), read)
    elif part.type == "tool-result":
        call_id = str(meta.get("tool_call_id") or "")
        yield Result(call_id, legible(part.text), bool(meta.get("is_error")))


def _meta(meta_json: bytes) -> Mapping[str, Any]:
    meta = orjson.loads(meta_json.replace(b"\\u0000", b"")) if meta_json else {}
    return meta if isinstance(meta, dict) else {}
