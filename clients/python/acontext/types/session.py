"""Sessions and their messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from .._model import Fields, Model, Timestamp
from .common import Page
from .task import Task as Task
from .task import TaskData as TaskData

MessageFormat = Literal["openai", "anthropic", "gemini", "acontext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Model):
    """One conversation: an ordered log of messages, observed in the background."""

    id: str
    project_id: str
    user_id: str | None = None
    space_id: str | None = None
    """Where its completed tasks are learned; None: nothing is learned from it."""
    disable_task_tracking: bool
    configs: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState(Model):
    """How long a session is and how far it is observed."""

    session_id: str
    messages: int
    observed: int
    """Messages that observing has dealt with, failed ones included."""
    failed: int
    tokens: float
    last_stored_at: Timestamp | None = None
    """None for an empty session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWithState(Model):
    """A session, and how it is doing."""

    session: Session
    state: SessionState


class SessionFilter(TypedDict, total=False):
    """Which sessions to list, and how; without any of these all of them, the oldest first."""

    user: str | None
    """Identifier of a user; an unknown one has no sessions."""
    space_id: str | None
    not_connected: bool | None
    """Only sessions without a space; wins over `space_id`."""
    time_desc: bool | None
    """The newest first."""
    filter_by_configs: Mapping[str, Any] | None
    """Only sessions whose configs contain it."""
    observing: str | None
    """`observed`, `pending` or `failed`."""
    search: str | None
    """What the session's id, or its user's identifier, begins with; up to 1024 characters."""
    stored_after: datetime | None
    stored_before: datetime | None
    """Only sessions in which a message was stored from the one time on, and before the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatistics(Model):
    """What a project keeps in sessions."""

    users: int
    sessions: int
    messages: int
    tokens: float
    message_bytes: float
    """Without what is kept as files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset(Model):
    """Names bytes that are kept beside a message."""

    bucket: str
    s3_key: str
    etag: str
    sha256: str
    mime: str
    size_b: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Model):
    """One piece of a message."""

    type: str
    """`text`, `image`, `audio`, `video`, `file`, `tool-call`, `tool-result`, `data`, `thinking` or
    `redacted_thinking`."""
    text: str | None = None
    asset: Asset | None = None
    filename: str | None = None
    meta: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Model):
    """One turn, as parts that every provider's form can be made from."""

    id: str
    session_id: str
    parent_id: str | None = None
    """The message before it; None for the first."""
    role: str
    """`user`, `assistant`, `system` or `developer`."""
    meta: dict[str, Any]
    parts: list[Part]
    task_id: str | None = None
    """The task it was linked to, once observed."""
    session_task_process_status: str
    """`pending`, `running`, `success` or `failed`."""
    created_at: Timestamp
    updated_at: Timestamp
    sequence: int
    """Position in the session, from 1, without gaps."""
    failure: str | None = None
    """Why observing it failed; only in state `failed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessages(Model):
    """What `store_messages` has kept."""

    count: int
    last_sequence: int
    """Position of the last one in its session; 0 if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicURL(Model):
    """Opens without a key until it expires."""

    url: str
    expire_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class GetMessagesOutput(Model):
    """A page of messages, oldest first."""

    items: list[Any]
    """In the asked form: dicts for a provider's API, or `Message` for `acontext`."""
    ids: list[str]
    """`ids[i]` is the stored message behind `items[i]`."""
    next_cursor: str | None = None
    has_more: bool
    this_time_tokens: int
    """Tokens of the page after editing."""
    public_urls: dict[str, PublicURL] | None = None
    """By sha256; only for `acontext`."""
    edit_at_message_id: str | None = None
    """Pin the next call's edits here to keep a prompt's beginning the same."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext(Model):
    """What the next model call needs, within a budget of tokens."""

    summary: str
    """Preferences and condensed tasks, for a system message; empty if there are none."""
    items: list[Any]
    """Messages kept verbatim, oldest first, in the asked form."""
    ids: list[str]
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts(Model):
    """Tokens (o200k_base) of a whole session."""

    total_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningStatus(Model):
    """Successful tasks of a session, by whether its space has dealt with them."""

    space_digested_count: int
    not_space_digested_count: int
    paused: str | None = None
    """Why learning waits for more than its turn."""
    failed_count: int = 0
    """Those of the not digested ones that the space tried to learn, and could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageObservingStatus(Model):
    """Messages of a session by how far they are observed."""

    observed: int
    in_process: int
    pending: int
    updated_at: Timestamp
    failed: int
    paused: str | None = None
    """Why what is pending waits for more than its turn."""


class FlushResult(Fields):
    """How a flush went: `{"status": 200, "errmsg": ""}`."""

    @property
    def status(self) -> int:
        """200 done, 429 models pause, 500 some failed, 504 not done within 30 s and going on."""
        return int(self["status"])

    @property
    def errmsg(self) -> str:
        """Empty if done, else why and how much is left."""
        return str(self["errmsg"])

    @property
    def remaining(self) -> int:
        """Messages stored before the call that are not observed."""
        return int(self.get("remaining", 0))


class RemoveToolResultParams(TypedDict, total=False):
    """Of the newest tool results some are kept, those of `keep_tools` always."""

    keep_recent_n_tool_results: int
    tool_result_placeholder: str
    keep_tools: list[str]


class RemoveToolResultStrategy(TypedDict):
    """Puts a placeholder in place of old tool results."""

    type: Literal["remove_tool_result"]
    params: NotRequired[RemoveToolResultParams]


class RemoveToolCallParamsParams(TypedDict, total=False):
    """Of the newest tool calls some keep their arguments, those of `keep_tools` always."""

    keep_recent_n_tool_calls: int
    keep_tools: list[str]


class RemoveToolCallParamsStrategy(TypedDict):
    """Takes the arguments away from old tool calls."""

    type: Literal["remove_tool_call_params"]
    params: NotRequired[RemoveToolCallParamsParams]


class TokenLimitParams(TypedDict):
    """At most so many tokens are left."""

    limit_tokens: int


class TokenLimitStrategy(TypedDict):
    """Removes the oldest messages until the rest fits."""

    type: Literal["token_limit"]
    params: TokenLimitParams


class MiddleOutParams(TypedDict):
    """At most so many tokens are left."""

    token_reduce_to: int


class MiddleOutStrategy(TypedDict):
    """Removes messages from the middle until the rest fits."""

    type: Literal["middle_out"]
    params: MiddleOutParams


EditStrategy = (
    RemoveToolResultStrategy | RemoveToolCallParamsStrategy | TokenLimitStrategy | MiddleOutStrategy
)

ListSessionsOutput = Page[Session]
GetTasksOutput = Page[Task]
