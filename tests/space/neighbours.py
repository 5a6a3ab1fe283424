"""Session and observer as space sees them: small gRPC servers that speak their protocol.

The journeys run against the real ones; here each test says what they know.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import grpc
import orjson
from grpc import aio

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import ProjectId, uuid7

Context = aio.ServicerContext[Any, Any]
Message = dict[str, Any]
"""An OpenAI chat message."""

ROOT = ProjectId(UUID("0198c0de-0000-7000-8000-000000000001"))


class Neighbours(
    session.ProjectServiceServicer,
    session.SessionServiceServicer,
    observer.TaskServiceServicer,
    observer.RunServiceServicer,
):
    """What session and observer would answer."""

    def __init__(self) -> None:
        self.keys: dict[str, ProjectId] = {}
        self.users: dict[tuple[ProjectId, str], UUID] = {}
        self.sessions: set[str] = set()
        self.settings = session.ProjectSettings()
        self.tasks: dict[str, observer.GetTaskContextResponse] = {}
        self.messages: dict[str, session.LoggedMessage] = {}
        self.asked_for_tasks = 0
        self.token_use = observer.TokenUse()

    def completed_task(
        self,
        messages: Iterable[Message],
        *,
        description: str,
        preferences: Iterable[str] = (),
        session_id: str | None = None,
    ) -> observer.GetTaskContextResponse:
        """Let there be a task that succeeded, with its messages."""
        session_id = session_id or str(uuid7())
        self.sessions.add(session_id)
        logged = [self._logged(session_id, n, one) for n, one in enumerate(messages, start=1)]
        self.messages |= {one.id: one for one in logged}
        task = observer.Task(
            id=str(uuid7()),
            session_id=session_id,
            status="success",
            version=1,
            data=observer.TaskData(
                task_description=description, user_preferences=list(preferences)
            ),
        )
        seen = [observer.TaskMessage(message_id=one.id, sequence=one.sequence) for one in logged]
        context = observer.GetTaskContextResponse(task=task, messages=seen)
        self.tasks[task.id] = context
        return context

    def _logged(self, session_id: str, sequence: int, message: Message) -> session.LoggedMessage:
        role = "user" if message["role"] == "tool" else message["role"]
        content = session.MessageContent(parts=list(_parts(message)))
        return session.LoggedMessage(
            id=str(uuid7()), session_id=session_id, sequence=sequence, role=role, content=content
        )

    async def ResolveKey(
        self, request: session.ResolveKeyRequest, context: Context
    ) -> session.ResolveKeyResponse:
        if request.secret not in self.keys:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Unauthorized")
        return session.ResolveKeyResponse(project_id=str(self.keys[request.secret]))

    async def EnsureUser(
        self, request: session.EnsureUserRequest, context: Context
    ) -> session.EnsureUserResponse:
        user_id = self.users.setdefault((_project(context), request.identifier), uuid4())
        return session.EnsureUserResponse(user=session.User(id=str(user_id)))

    async def FindUser(
        self, request: session.FindUserRequest, context: Context
    ) -> session.FindUserResponse:
        user_id = self.users.get((_project(context), request.identifier))
        return session.FindUserResponse(user=session.User(id=str(user_id)) if user_id else None)

    async def GetProjectSettings(
        self, request: session.GetProjectSettingsRequest, context: Context
    ) -> session.GetProjectSettingsResponse:
        return session.GetProjectSettingsResponse(settings=self.settings)

    async def GetSession(
        self, request: session.GetSessionRequest, context: Context
    ) -> session.GetSessionResponse:
        if request.session_id not in self.sessions:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no session")
        return session.GetSessionResponse(session=session.Session(id=request.session_id))

    async def ReadMessages(
        self, request: session.ReadMessagesRequest, context: Context
    ) -> session.ReadMessagesResponse:
        items = [self.messages[one] for one in request.message_ids]
        return session.ReadMessagesResponse(items=items)

    async def GetTaskContext(
        self, request: observer.GetTaskContextRequest, context: Context
    ) -> observer.GetTaskContextResponse:
        self.asked_for_tasks += 1
        if request.task_id not in self.tasks:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no task")
        return self.tasks[request.task_id]

    async def GetTokenUse(
        self, request: observer.GetTokenUseRequest, context: Context
    ) -> observer.GetTokenUseResponse:
        return observer.GetTokenUseResponse(token_use=self.token_use)

    async def GetTask(
        self, request: observer.GetTaskRequest, context: Context
    ) -> observer.GetTaskResponse:
        if request.task_id not in self.tasks:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no task")
        return observer.GetTaskResponse(task=self.tasks[request.task_id].task)


def _project(context: Context) -> ProjectId:
    headers = dict(context.invocation_metadata() or ())
    return ProjectId(UUID(str(headers["x-acontext-project"]).partition(".")[0]))


def _parts(message: Message) -> Iterable[session.ContentPart]:
    if message["role"] == "tool":
        meta = orjson.dumps({"tool_call_id": message["tool_call_id"]})
        yield session.ContentPart(type="tool-result", text=message["content"], meta_json=meta)
        return
    if message.get("content"):
        yield session.ContentPart(type="text", text=message["content"])
    for call in message.get("tool_calls") or []:
        meta = orjson.dumps({"id": call["id"], **call["function"], "type": "function"})
        yield session.ContentPart(type="tool-call", meta_json=meta)


@asynccontextmanager
async def serve_neighbours(settings: Settings) -> AsyncIterator[Neighbours]:
    """Serve both at the addresses where space looks for them."""
    neighbours = Neighbours()  # type: ignore[abstract]  # it answers what space asks
    server = aio.server()
    session.add_ProjectServiceServicer_to_server(neighbours, server)
    session.add_SessionServiceServicer_to_server(neighbours, server)
    observer.add_TaskServiceServicer_to_server(neighbours, server)
    observer.add_RunServiceServicer_to_server(neighbours, server)
    server.add_insecure_port(settings.session_address)
    server.add_insecure_port(settings.observer_address)
    await server.start()
    try:
        yield neighbours
    finally:
        await server.stop(None)
