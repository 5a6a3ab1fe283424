"""The nouns of session and their rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType, TypeAlias
from uuid import UUID

from acontext_server.kit.errors import FieldViolation, Kind, ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.session.content import Content
from acontext_server.session.free_json import JsonObject

KeyId = NewType("KeyId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
SpaceId = NewType("SpaceId", UUID)
MessageId = NewType("MessageId", UUID)
TaskId = NewType("TaskId", UUID)

SERVICE = "session"
"""The name under which the service keeps its bytes and its schema."""

MAX_ANSWER_BYTES = 60 << 20
"""What a page of messages may weigh; the rest of 64 MiB is for what surrounds them."""

MAX_INLINE_BYTES = 64 << 10
"""Longer texts and metas are kept as blobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A tenant."""

    id: ProjectId
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What opens a project; the secret itself is known to its bearer only."""

    id: KeyId
    project_id: ProjectId
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom sessions, disks and spaces belong to."""

    id: UserId
    project_id: ProjectId
    identifier: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One conversation."""

    id: SessionId
    project_id: ProjectId
    user_id: UserId | None
    space_id: SpaceId | None
    disable_task_tracking: bool
    configs: JsonObject
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session belongs, and whether its tasks are wanted."""

    space_id: SpaceId | None
    user_id: UserId | None
    is_tracked: bool


class Observing(StrEnum):
    """How far the log of a tracked session is observed."""

    OBSERVED = "observed"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """How long a session's log is, and how far it is observed."""

    session_id: SessionId
    messages: int
    observed: int
    failed: int
    tokens: int
    last_stored_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatistics:
    """What a project keeps in sessions."""

    users: int
    sessions: int
    messages: int
    tokens: int
    message_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Where a session's log ends and how far it is observed."""

    last_sequence: int
    last_message_id: MessageId | None
    last_stored_at: datetime | None
    observed_through: int
    running_through: int
    tokens: int
    tracked: bool
    """Whether it is observed at all."""

    def status(self, sequence: int, failure: str | None) -> "Status":
        """Derive what observing has made of a message."""
        if failure is not None:
            return Status.FAILED
        if sequence <= self.observed_through:
            return Status.SUCCESS
        return Status.RUNNING if sequence <= self.running_through else Status.PENDING


@dataclass(frozen=True, slots=True)
class Grown:
    """What others are told of a log that has grown."""

    last_sequence: int
    tracked: bool
    trace: str | None = None
    """What its newest message was stored in."""


class Status(StrEnum):
    """How far observing a message has come."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class Message(NamedTuple):
    """A message of a session, with its place in the log; a tuple, as a page has a thousand."""

    id: MessageId
    session_id: SessionId
    sequence: int
    parent_id: MessageId | None
    content: Content
    tokens: int
    status: Status
    created_at: datetime
    updated_at: datetime
    task_id: TaskId | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnobservedSession:
    """A session with messages that wait to be observed."""

    project_id: ProjectId
    session_id: SessionId
    last_sequence: int
    observed_through: int
    waiting_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What observing a stretch of a log came to."""

    observed_through: int
    running_through: int
    failures: dict[int, str]
    links: dict[int, TaskId | None]
    healed: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserResources:
    """How much belongs to a user."""

    sessions: int
    spaces: int
    disks: int


@dataclass(frozen=True, slots=True)
class SessionConnected:
    """A session's completed tasks are learned by this space from now on."""

    session_id: SessionId
    space_id: SpaceId


@dataclass(frozen=True, slots=True)
class SessionDeleted:
    """A session is gone with its messages."""

    session_id: SessionId


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """A user is gone; others remove what they keep of it."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class ProjectDeleted:
    """A project is gone; others remove what they keep of it."""


Event: TypeAlias = SessionConnected | SessionDeleted | UserDeleted | ProjectDeleted
"""A fact that others are told of."""


class InvalidMessage(ServiceError):
    """A message is none of its format; the sentence names the place and the rule."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_MESSAGE"

    def __init__(self, field: str, rule: str) -> None:
        violation = FieldViolation(field=field, description=rule)
        super().__init__(f"{field} {rule}", metadata={"field": field}, violations=[violation])


class MissingFile(ServiceError):
    """A part names a file that did not come with the message."""

    kind = Kind.INVALID_ARGUMENT
    reason = "MISSING_FILE"

    def __init__(self, name: str) -> None:
        super().__init__(f"missing file {name}", metadata={"file_field": name})


class ProjectNotFound(ServiceError):
    """No project has this id, or it is another's."""

    kind = Kind.NOT_FOUND
    reason = "PROJECT_NOT_FOUND"

    def __init__(self, project_id: UUID | str) -> None:
        super().__init__(f"no project {project_id}", metadata={"project_id": str(project_id)})


class ApiKeyNotFound(ServiceError):
    """No key of the project has this id."""

    kind = Kind.NOT_FOUND
    reason = "API_KEY_NOT_FOUND"

    def __init__(self, key_id: KeyId) -> None:
        super().__init__(f"no API key {key_id}", metadata={"key_id": str(key_id)})


class UserNotFound(ServiceError):
    """No user of the project has this identifier."""

    kind = Kind.NOT_FOUND
    reason = "USER_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("no user has this identifier")


class SessionNotFound(ServiceError):
    """No session has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(f"no session {session_id}", metadata={"session_id": str(session_id)})


class SpaceNotFound(ServiceError):
    """No space has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SPACE_NOT_FOUND"

    def __init__(self, space_id: SpaceId) -> None:
        super().__init__(f"no space {space_id}", metadata={"space_id": str(space_id)})


class DeletionInProgress(ServiceError):
    """Others still remove what belongs to a deleted user or project."""

    kind = Kind.UNAVAILABLE
    reason = "DELETION_IN_PROGRESS"

    def __init__(self, waiting_for: str) -> None:
        super().__init__(
            f"the deletion goes on: {waiting_for} still to confirm",
            metadata={"waiting_for": waiting_for},
        )
