"""Talking to the session service in tests."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from google.api.httpbody_pb2 import HttpBody

from acontext.session import v1 as pb
from acontext_server.kit.ids import ProjectId
from tests.services import Platform


@dataclass
class Conversation:
    """The default project's caller, with short words for what tests do most."""

    platform: Platform
    metadata: tuple[tuple[str, str], ...] = ()
    sessions: Any = field(init=False)
    """The stub; its asynchronous types exist for type checkers only."""
    projects: Any = field(init=False)

    def __post_init__(self) -> None:
        channel = self.platform.channel("session")
        self.sessions = pb.SessionServiceStub(channel)
        self.projects = pb.ProjectServiceStub(channel)
        self.metadata = self.metadata or self.platform.key

    async def create(self, **fields: Any) -> pb.Session:
        """Open a session."""
        request = pb.CreateSessionRequest(**fields)
        response = await self.sessions.CreateSession(request, metadata=self.metadata)
        return response.session  # type: ignore[no-any-return]

    async def say(self, session_id: str, text: str, *, request_id: str | None = None) -> pb.Message:
        """Store a user's words."""
        blob = json.dumps({"role": "user", "content": text}).encode()
        request = pb.StoreMessageRequest(
            session_id=session_id, blob_json=blob, request_id=request_id
        )
        response = await self.sessions.StoreMessage(request, metadata=self.metadata)
        return response.message  # type: ignore[no-any-return]

    async def post(self, session_id: str, body: Any) -> dict[str, Any]:
        """Store a message through the JSON door; a body that is no bytes is dumped."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = pb.StoreMessageJsonRequest(session_id=session_id, body=HttpBody(data=data))
        response = await self.sessions.StoreMessageJson(request, metadata=self.metadata)
        return dict(json.loads(response.data))

    async def put(self, session_id: str, blob: Any, form: str = "openai") -> dict[str, Any]:
        """Store a blob of a format."""
        return await self.post(session_id, {"format": form, "blob": blob})

    async def page(self, session_id: str, **fields: Any) -> dict[str, Any]:
        """List messages as JSON."""
        request = pb.ListMessagesJsonRequest(session_id=session_id, **fields)
        response = await self.sessions.ListMessagesJson(request, metadata=self.metadata)
        return dict(json.loads(response.data))

    async def typed(self, session_id: str, **fields: Any) -> pb.ListMessagesResponse:
        """List messages in typed form."""
        request = pb.ListMessagesRequest(session_id=session_id, **fields)
        return await self.sessions.ListMessages(  # type: ignore[no-any-return]
            request, metadata=self.metadata
        )

    def as_service(self, project_id: str) -> "Conversation":
        """Speak as another service of ours for a project."""
        signed = self.platform.as_service(ProjectId(UUID(project_id)))
        return Conversation(self.platform, signed)
