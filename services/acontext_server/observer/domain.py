"""What the observer knows: tasks, how they may change, and what can go wrong.

A task list changes only through `TaskList.apply`, whoever decided the change: rules, a model or
a person. So every rule about tasks that code can hold is held here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from acontext_server.kit.errors import Kind, ServiceError
from acontext_server.kit.ids import ProjectId, uuid7

SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
TaskId = NewType("TaskId", UUID)
RunId = NewType("RunId", UUID)
SpaceId = NewType("SpaceId", UUID)
UserId = NewType("UserId", UUID)

NewId = Callable[[], UUID]
Clock = Callable[[], datetime]

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

    id: TaskId
    order: int
    status: TaskStatus = TaskStatus.PENDING
    description: str = ""
    progresses: tuple[str, ...] = ()
    preferences: tuple[str, ...] = ()
    settled: bool = False
    """Its outcome was set from outside, so what is observed no longer moves it."""
    outcome_reason: str = ""
    """Why, in the words of whoever set it."""


class TaskList:
    """The tasks of one session in their order, and which messages were given to which."""

    def __init__(self, tasks: Iterable[TaskState] = (), new_id: NewId = uuid7) -> None:
        self._new_id = new_id
        self.tasks = {task.order: task for task in tasks}
        self.links: dict[MessageId, int] = {}
        """The order of the task that took each message."""
        self.merged: dict[TaskId, TaskId] = {}
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

    @property
    def last(self) -> int:
        """The highest order in use, 0 without tasks."""
        return max(self.tasks, default=PLANNING)

    def _open(self, change: OpenTask) -> None:
        if change.order != self.last + 1:
            raise ChangeRefused(f"the next task is number {self.last + 1}, not {change.order}")
        self._add(change.order, change.description)

    def _add(self, order: int, description: str = "") -> TaskState:
        task = TaskState(id=TaskId(self._new_id()), order=order, description=description)
        self.tasks[order] = task
        return task

    def _merge(self, change: MergeTask) -> None:
        task, into = self._task(change.order), self._task(change.into)
        if task.order != self.last or PLANNING in (task.order, into.order):
            raise ChangeRefused(f"only the last task can become part of another, not {task.order}")
        self.tasks[into.order] = replace(
            into,
            progresses=with_lines(into.progresses, task.progresses),
            preferences=with_lines(into.preferences, task.preferences),
        )
        moved = [message for message, order in self.links.items() if order == task.order]
        self.links |= dict.fromkeys(moved, into.order)
        del self.tasks[task.order]
        self.merged[task.id] = into.id

    def _task(self, order: int) -> TaskState:
        if order in self.tasks:
            return self.tasks[order]
        if order == PLANNING:
            return self._add(PLANNING)
        raise ChangeRefused(f"there is no task number {order}")


def _changed(
    task: TaskState, change: DescribeTask | MoveTask | AddProgress | AddPreference
) -> TaskState:
    match change:
        case DescribeTask():
            return replace(task, description=change.description)
        case MoveTask():
            return _moved(task, change.status)
        case AddProgress():
            return replace(task, progresses=with_lines(task.progresses, (change.text,)))
        case AddPreference():
            kept = tuple(text for text in task.preferences if text != change.replaces)
            return replace(task, preferences=with_lines(kept, (change.text,)))


def _moved(task: TaskState, status: TaskStatus) -> TaskState:
    if task.settled or task.order == PLANNING:
        return task
    if not may_follow(task.status, status):
        raise ChangeRefused(f"task {task.order} is {task.status} and cannot become {status}")
    return replace(task, status=status)


def with_lines(known: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    """Append what is not known yet: saying a thing twice does not make two of it."""
    return known + tuple(text for text in dict.fromkeys(added) if text not in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it is kept."""

    project_id: ProjectId
    session_id: SessionId
    state: TaskState
    version: int
    """Counts every change."""
    completions: int
    """Counts how often it became success; each is learned at most once."""
    space_digested: bool
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> TaskId:
        """Its id."""
        return self.state.id

    @property
    def order(self) -> int:
        """Its place in the session."""
        return self.state.order

    @property
    def status(self) -> TaskStatus:
        """How far it is."""
        return self.state.status


def became(task: Task, state: TaskState, *, at: datetime) -> Task:
    """Make the next version of a task; one that succeeds anew is to be learned anew."""
    succeeded = state.status is TaskStatus.SUCCESS and task.status is not TaskStatus.SUCCESS
    return replace(
        task,
        state=state,
        version=task.version + 1,
        completions=task.completions + succeeded,
        space_digested=task.space_digested and not succeeded,
        updated_at=at,
    )


def first_version(
    project_id: ProjectId, session_id: SessionId, state: TaskState, *, at: datetime
) -> Task:
    """Make the first version of a task."""
    return Task(
        project_id=project_id,
        session_id=session_id,
        state=state,
        version=1,
        completions=int(state.status is TaskStatus.SUCCESS),
        space_digested=False,
        created_at=at,
        updated_at=at,
    )


def with_outcome(state: TaskState, status: TaskStatus, reason: str) -> TaskState:
    """Set how a task ended, from outside; TransitionRefused if nobody ever worked on it."""
    if state.status is TaskStatus.PENDING and status is TaskStatus.SUCCESS:
        raise TransitionRefused(state.status, status)
    lines = with_lines(state.progresses, (reason,) if reason else ())
    if not reason and status is state.status:
        reason = state.outcome_reason
    return replace(state, status=status, progresses=lines, settled=True, outcome_reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a list of changes made of a session's tasks."""

    changed: tuple[Task, ...]
    completed: tuple[Task, ...]
    """Those of the changed ones that became success."""
    removed: tuple[Task, ...]
    links: Mapping[MessageId, TaskId]


def settle(
    before: Sequence[Task],
    after: TaskList,
    *,
    project_id: ProjectId,
    session_id: SessionId,
    at: datetime,
) -> Settled:
    """Compare tasks before and after some changes, and make their next versions."""
    known = {task.id: task for task in before}
    changed: list[Task] = []
    for state in after.tasks.values():
        old = known.get(state.id)
        if old is None:
            changed.append(first_version(project_id, session_id, state, at=at))
        elif old.state != state:
            changed.append(became(old, state, at=at))
    completions = {task.id: task.completions for task in before}
    return Settled(
        changed=tuple(changed),
        completed=tuple(t for t in changed if t.completions > completions.get(t.id, 0)),
        removed=tuple(task for task in before if task.id in after.merged),
        links={message: after.tasks[order].id for message, order in after.links.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A message that could not be observed."""

    sequence: int
    message_id: MessageId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The task that a message belongs to, or none any more."""

    sequence: int
    task_id: TaskId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What session is to be told of an observation; repeating it changes nothing."""

    observed_through: int
    running_through: int = 0
    failures: tuple[Failure, ...] = ()
    links: tuple[Link, ...] = ()
    healed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to observe one session, until somebody else may."""

    project_id: ProjectId
    session_id: SessionId
    owner: UUID
    cursor: int
    attempts: int
    """How often the next batch has failed so far."""
    engine_state: Mapping[str, Any]
    trace: str | None = None
    """What the newest of its messages was stored in."""
    has_leftovers: bool = True
    """Something may wait to be told to session, or to be observed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a session is observed."""

    cursor: int
    """Observed, and committed here."""
    told_through: int
    """Observed, and acknowledged by session."""
    running_through: int
    attempts: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How many successful tasks of a session its space has dealt with."""

    digested: int = 0
    waiting: int = 0
    failed: int = 0
    """Of those that wait, the ones that were tried to the end."""
    paused: str = ""
    """Why they wait, where they wait for more than their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushAnswer:
    """How a flush went, in the words that clients read."""

    status: int
    errmsg: str = ""
    remaining: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One piece of work of an engine."""

    id: RunId
    project_id: ProjectId
    session_id: SessionId
    engine: str
    instruction_version: str
    rounds: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    duration_seconds: float
    outcome: str
    error: str
    summary: str
    created_at: datetime
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one run of a model took, whichever service asked it."""

    project_id: ProjectId
    run_id: UUID
    role: str
    input_tokens: int
    output_tokens: int
    cost: float | None
    spent_at: datetime

    @property
    def month(self) -> date:
        """The first day of the month whose budget it counts against, in UTC."""
        return first_of_month(self.spent_at)


def first_of_month(at: datetime) -> date:
    """Give the first day of a time's month, in UTC."""
    return at.astimezone(UTC).date().replace(day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUse:
    """What the runs of one role took in a month."""

    role: str
    runs: int
    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse:
    """What a project's models took in a month."""

    month: date
    budget: int | None
    applies: bool
    """Whether there are models that the budget could stop."""
    roles: tuple[RoleUse, ...]

    @property
    def tokens(self) -> int:
        """All of them."""
        return sum(one.input_tokens + one.output_tokens for one in self.roles)

    @property
    def is_used_up(self) -> bool:
        """Whether models pause."""
        return self.applies and self.budget is not None and self.tokens >= self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A message that belongs to a task."""

    message_id: MessageId
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What learning needs of a task."""

    task: Task
    messages: Sequence[TaskMessage]
    earlier: Sequence[Task]
    after: Sequence[TaskMessage]
    space_id: SpaceId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """One step of a task's life, at its place in the project's log."""

    position: int
    task: Task
    removed: bool
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one day of a project counts."""

    date: str
    tasks: Mapping[str, int] = field(default_factory=dict)
    """Tasks first seen that day, by their status now."""
    sessions: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksChanged:
    """Tasks of a session were added, changed or taken away."""

    project_id: ProjectId
    session_id: SessionId
    task_ids: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted:
    """A task became success in a session that has a space."""

    project_id: ProjectId
    session_id: SessionId
    task_id: TaskId
    completion: int
    space_id: SpaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForgotten:
    """Nothing of the user is left here."""

    project_id: ProjectId
    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectForgotten:
    """Nothing of the project is left here."""

    project_id: ProjectId


Event = TasksChanged | TaskCompleted | UserForgotten | ProjectForgotten


class ChangeRefused(Exception):
    """A change breaks a rule about tasks; the text tells the engine which one."""


class LeaseLost(Exception):
    """Somebody else may observe the session now, or it is gone; nothing was written."""


class SessionNotFound(ServiceError):
    """No session has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(
            f"session {session_id} does not exist", metadata={"session_id": str(session_id)}
        )


class TaskNotFound(ServiceError):
    """No task has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "TASK_NOT_FOUND"

    def __init__(self, task_id: TaskId) -> None:
        super().__init__(f"task {task_id} does not exist", metadata={"task_id": str(task_id)})


class SessionNotTracked(ServiceError):
    """The session, or its project, does not want to be observed."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SESSION_NOT_TRACKED"

    def __init__(self, session_id: SessionId) -> None:
        super().__init__(
            f"session {session_id} is not observed: task tracking is off for it or its project",
            metadata={"session_id": str(session_id)},
        )


class RunNotFound(ServiceError):
    """No run has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "RUN_NOT_FOUND"

    def __init__(self, run_id: RunId) -> None:
        super().__init__(f"run {run_id} does not exist", metadata={"run_id": str(run_id)})


class TokenBudgetUsedUp(ServiceError):
    """Models pause: the project's token budget of this month is used up."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "TOKEN_BUDGET_USED_UP"

    def __init__(self, month: date, budget: int) -> None:
        name = f"{month:%Y-%m}"
        super().__init__(
            f"the token budget of {name} is used up ({budget}); raise monthly_token_budget, or wait"
            " for the next month",
            metadata={"month": name, "budget": str(budget)},
        )


class TransitionRefused(ServiceError):
    """A task does not go from this status to that one."""

    kind = Kind.FAILED_PRECONDITION
    reason = "TRANSITION_REFUSED"

    def __init__(self, before: TaskStatus, after: TaskStatus) -> None:
        super().__init__(
            f"a task that is {before} cannot become {after}",
            metadata={"from": before.value, "to": after.value},
        )
