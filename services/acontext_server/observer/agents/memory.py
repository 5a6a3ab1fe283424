"""What the rules remember between messages, and how they act on it."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self
from uuid import UUID

from acontext_server.observer.agents import language
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.domain import (
    PLANNING,
    AddPreference,
    AddProgress,
    Change,
    DescribeTask,
    LinkMessage,
    MergeTask,
    MessageId,
    MoveTask,
    OpenTask,
    TaskStatus,
)

_LED = 40
"""So many messages of a long preamble are remembered."""
_REMEMBERED = 12
"""So many of the newest tasks are remembered once they are closed."""


@dataclass(slots=True)
class Work:
    """What the rules remember of a task."""

    order: int
    description: str
    status: str = TaskStatus.PENDING
    planned: bool = False
    """It is a step of a plan that nobody has begun."""
    tools: dict[str, list[str]] = field(default_factory=dict)
    """The tools that were called for it, each with the values it was last called with."""
    preferences: list[str] = field(default_factory=list)
    led: list[str] = field(default_factory=list)
    """The messages that led to it, until work began; a plan takes them to the planning section."""
    said: list[str] = field(default_factory=list)
    """Tools already told of since the user spoke last."""
    announced: bool = False
    """The agent said what it sets about."""
    is_step: bool = False
    """It came of a plan that the agent stated."""
    answered: bool = False
    """The agent gave code, which is what was asked for, and asked nothing."""

    @property
    def is_closed(self) -> bool:
        """Its result was delivered, or it failed."""
        return self.status in (TaskStatus.SUCCESS, TaskStatus.FAILED)


@dataclass(slots=True)
class OpenCall:
    """A call that waits for its result."""

    id: str
    name: str
    order: int


@dataclass(slots=True)
class State:
    """All that the rules remember between two messages."""

    tasks: list[Work] = field(default_factory=list)
    """Those that are open, and the newest closed ones."""
    opened: int = 0
    """How many tasks there are in all."""
    current: int = PLANNING
    """The order of the task that is being worked on or was worked on last."""
    calls: list[OpenCall] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)
    """The steps that the agent proposed and nobody has agreed to yet."""
    offer: str = ""
    """What the agent offered in its last message."""
    told: str = ""
    """What the agent delivered or suggested last, which "it" and "that one" point at."""
    asked: bool = False
    """The agent's last message waits for an answer."""
    claimed: bool = False
    """The agent's last message says that it is done, whatever it asks besides."""
    thanked: bool = False
    """The user thanked for work that was not done, as far as was seen, and may go on."""
    aside: bool = False
    """The user asked something beside the work at hand."""
    opening: list[str] = field(default_factory=list)
    """Messages since the last delivery that may turn out to have opened a task."""
    opening_text: str = ""
    unreported: bool = False
    """A tool showed that the task is done, and the agent has not told of it yet."""
    trouble: bool = False
    """The last results told of an error."""

    def to_json(self) -> dict[str, Any]:
        """Give the state a form that a row can keep."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Take up the state that `to_json` gave, also of earlier rules, which knew other things."""
        names = {one.name for one in fields(cls)}
        known = {name: value for name, value in row.items() if name in names}
        known["tasks"] = [Work(**task) for task in row.get("tasks", [])]
        known["calls"] = [OpenCall(**call) for call in row.get("calls", [])]
        return cls(**known)


@dataclass(slots=True)
class Turn:
    """One message meeting the state; rules act through it, so that both stay in step."""

    state: State
    message: Message
    text: str
    """What is said in the message, without what is only pasted."""
    changes: list[Change] = field(default_factory=list)

    @property
    def work(self) -> Work | None:
        return self.task(self.state.current)

    @property
    def is_free(self) -> bool:
        """Nothing is being worked on."""
        return self.work is None or self.work.is_closed

    def task(self, order: int) -> Work | None:
        for task in reversed(self.state.tasks):  # the one that is meant is nearly always the newest
            if task.order == order:
                return task
        return None

    def was_opened_now(self, order: int) -> bool:
        """It was in this turn that the task was opened."""
        return any(isinstance(one, OpenTask) and one.order == order for one in self.changes)

    def open(self, description: str, *, planned: bool = False) -> Work:
        description = language.without_secrets(description)
        self.state.opened = order = self.state.opened + 1
        work = Work(order=order, description=description, planned=planned)
        remembered = order - _REMEMBERED
        kept = [old for old in self.state.tasks if not old.is_closed or old.order > remembered]
        self.state.tasks = [*kept, work]
        self.changes.append(OpenTask(order=order, description=description))
        return work

    def begin(self, work: Work) -> None:
        """Make it the task that is worked on, with all that led to it."""
        self.state.current = work.order
        for message_id in self.state.opening:
            self.link(work.order, message_id)
        self.forget_opening()

    def describe(self, work: Work, description: str) -> None:
        description = language.without_secrets(description)
        if description and description != work.description:
            work.description = description
            self.changes.append(DescribeTask(order=work.order, description=description))

    def move(self, work: Work, status: TaskStatus) -> None:
        """Go to a status, through running where that is the only way."""
        if work.status == status:
            return
        if status in (TaskStatus.SUCCESS, TaskStatus.FAILED) and work.status != TaskStatus.RUNNING:
            self.move(work, TaskStatus.RUNNING)
        work.status = status
        work.planned = False
        self.changes.append(MoveTask(order=work.order, status=status))

    def progress(self, work: Work, text: str) -> None:
        if text:
            told = language.without_secrets(text)
            self.changes.append(AddProgress(order=work.order, text=told))

    def prefer(self, order: int, text: str, *, replaces: str = "") -> None:
        text = language.without_secrets(text)
        self.changes.append(AddPreference(order=order, text=text, replaces=replaces))
        if work := self.task(order):
            work.preferences = [kept for kept in work.preferences if kept != replaces] + [text]

    def link(self, order: int, message_id: str = "") -> None:
        """Give a message, else the one at hand, to a task."""
        linked = MessageId(UUID(message_id)) if message_id else self.message.id
        self.changes.append(LinkMessage(order=order, message_id=linked))
        if (work := self.task(order)) and not work.tools:
            work.led = [*work.led, str(linked)][-_LED:]

    def remember_opening(self) -> None:
        self.state.opening.append(str(self.message.id))
        self.state.opening = self.state.opening[-12:]

    def forget_opening(self) -> None:
        self.state.opening, self.state.opening_text = [], ""

    @classmethod
    def of(cls, state: State, message: Message) -> Self:
        """Begin a turn."""
        text = language.shortened(language.talk(message.text))
        return cls(state=state, message=message, text=text)

    def merge(self, work: Work, into: Work) -> None:
        """Let the last task become part of an earlier one."""
        self.changes.append(MergeTask(order=work.order, into=into.order))
        self.state.tasks.remove(work)
        self.state.opened -= 1
        into.preferences += [text for text in work.preferences if text not in into.preferences]
        self.state.current = into.order
