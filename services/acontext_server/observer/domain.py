"""What the observer knows: tasks, how they may change, and what can go wrong.

A task list changes only through `TaskList.apply`, whoever decided the change: rules, a model or
a person. So every rule about tasks that code can hold is held here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NewType
from uuid import UUID

ProjectId = NewType("ProjectId", UUID)
SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
TaskId = NewType("TaskId", UUID)

PLANNING = 0
"""The order of the hidden task that holds talk about requirements."""


class TaskStatus(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


_NEXT: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset({TaskStatus.RUNNING, TaskStatus.FAILED}),
    TaskStatus.RUNNING: frozenset({TaskStatus.SUCCESS, TaskStatus.FAILED}),
    TaskStatus.SUCCESS: frozenset({TaskStatus.RUNNING}),
    TaskStatus.FAILED: frozenset({TaskStatus.RUNNING}),
}


def may_follow(before: TaskStatus, after: TaskStatus) -> bool:
    """Say whether a task may go from one status to the other; staying is always allowed."""
    return before is after or after in _NEXT[before]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A task becomes known, as the last of its session."""

    order: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeTask:
    """The requirement changed, so the description does."""

    order: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """A task reaches another status."""

    order: int
    status: TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AddProgress:
    """The agent reached a milestone, told in its own first person."""

    order: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPreference:
    """The user stated how the task is to be done, or a fact that it needs."""

    order: int
    text: str
    replaces: str = ""
    """An older preference that this one contradicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMessage:
    """A message belongs to a task, and to no other any more; 0 is the planning section."""

    order: int
    message_id: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTask:
    """The last task turns out to be more of an earlier one, and becomes part of it."""

    order: int
    into: int


Change = OpenTask | DescribeTask | MoveTask | AddProgress | AddPreference | LinkMessage | MergeTask


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """What is said about a task."""

    order: int
    status: TaskStatus = TaskStatus.PENDING
    description: str = ""
    progresses: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    settled: bool = False
    """Its outcome was set from outside, so what is observed no longer moves it."""


class TaskList:
    """The tasks of one session in their order, and which messages were given to which."""

    def __init__(self, tasks: Iterable[TaskState] = ()) -> None:
        self.tasks = {task.order: task for task in tasks}
        self.links: dict[MessageId, int] = {}
        self.merged: dict[int, int] = {}
        """Tasks that became part of another one, with the one that took them."""

    def apply(self, change: Change) -> None:
        """Make one change, or refuse it with `ChangeRefused`."""
        match change:
            case OpenTask():
                self._open(change)
            case LinkMessage():
                self._task(change.order)
                self.links[change.message_id] = change.order
            case MergeTask():
                self._merge(change)
            case _:
                task = self._task(change.order)
                self.tasks[task.order] = _changed(task, change)

    def _open(self, change: OpenTask) -> None:
        if change.order != self.last + 1:
            raise ChangeRefused(f"the next task is number {self.last + 1}, not {change.order}")
        self.tasks[change.order] = TaskState(order=change.order, description=change.description)

    def _merge(self, change: MergeTask) -> None:
        task, into = self._task(change.order), self._task(change.into)
        if task.order != self.last or PLANNING in (task.order, into.order):
            raise ChangeRefused(f"only the last task can become part of another, not {task.order}")
        self.tasks[into.order] = replace(
            into,
            progresses=_with(into.progresses, task.progresses),
            preferences=_with(into.preferences, task.preferences),
        )
        moved = [message for message, order in self.links.items() if order == task.order]
        self.links |= dict.fromkeys(moved, into.order)
        del self.tasks[task.order]
        self.merged[task.order] = into.order

    def _task(self, order: int) -> TaskState:
        if order == PLANNING:
            return self.tasks.setdefault(PLANNING, TaskState(order=PLANNING))
        if order not in self.tasks:
            raise ChangeRefused(f"there is no task number {order}")
        return self.tasks[order]

    @property
    def last(self) -> int:
        """The highest order in use, 0 without tasks."""
        return max(self.tasks, default=PLANNING)


def _changed(
    task: TaskState, change: DescribeTask | MoveTask | AddProgress | AddPreference
) -> TaskState:
    match change:
        case DescribeTask():
            return replace(task, description=change.description)
        case MoveTask():
            return _moved(task, change.status)
        case AddProgress():
            return replace(task, progresses=_with(task.progresses, (change.text,)))
        case AddPreference():
            kept = tuple(text for text in task.preferences if text != change.replaces)
            return replace(task, preferences=_with(kept, (change.text,)))


def _moved(task: TaskState, status: TaskStatus) -> TaskState:
    if task.settled or task.order == PLANNING:
        return task
    if not may_follow(task.status, status):
        raise ChangeRefused(f"task {task.order} is {task.status} and cannot become {status}")
    return replace(task, status=status)


def _with(known: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    """Append what is not known yet: saying a thing twice does not make two of it."""
    return known + tuple(text for text in dict.fromkeys(added) if text not in known)


class ChangeRefused(Exception):
    """A change breaks a rule about tasks; the text tells the engine which one."""
