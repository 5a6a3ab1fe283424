"""Generations of a session's tasks: what a new observation puts in place of the old, purely.

A new task that is recognisably an old one keeps that one's id, history and outcome from outside,
so that what was learned from it, or said about it, still finds it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import (
    PLANNING,
    MessageId,
    SessionId,
    Task,
    TaskId,
    TaskList,
    TaskState,
    TaskStatus,
    became,
    first_version,
    with_lines,
)

_Key = TypeVar("_Key")

RECOGNISED = 0.5
"""Share of their messages that two tasks have in common when they are the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The tasks of a session, and which messages belong to which."""

    tasks: Sequence[Task]
    links: Mapping[MessageId, TaskId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What a new observation makes of a generation."""

    tasks: Sequence[Task]
    """All tasks as they are now, the planning section included."""
    changed: Sequence[Task]
    """Those that are new or another than before."""
    completed: Sequence[Task]
    """Those of the changed ones that there is something new to learn from."""
    removed: Sequence[Task]
    links: Mapping[MessageId, TaskId]
    unlinked: Sequence[MessageId]
    """Messages that belonged to a task and belong to none any more."""

    @property
    def is_new(self) -> bool:
        """Anything differs."""
        return bool(self.changed or self.removed)


def succeed(
    old: Generation,
    new: TaskList,
    *,
    project_id: ProjectId,
    session_id: SessionId,
    at: datetime,
) -> Succession:
    """Put newly observed tasks in place of a generation."""
    heirs = _recognise(old, new)
    before = _messages_by_task(old.links)
    after = _messages_by_task(new.links)
    tasks: list[Task] = []
    for order, state in sorted(new.tasks.items()):
        known = heirs.get(order)
        if known is None:
            tasks.append(first_version(project_id, session_id, state, at=at))
        else:
            has_other_messages = before[known.id] != after[order]
            tasks.append(_next(known, state, at=at, has_other_messages=has_other_messages))
    was = {task.id: task for task in old.tasks}
    changed = [task for task in tasks if was.get(task.id) != task]
    kept = {task.id for task in tasks}
    ids = {task.order: task.id for task in tasks}
    return Succession(
        tasks=tasks,
        changed=changed,
        completed=[task for task in changed if _is_completed_anew(was.get(task.id), task)],
        removed=[task for task in old.tasks if task.id not in kept],
        links={message: ids[order] for message, order in new.links.items()},
        unlinked=[message for message in old.links if message not in new.links],
    )


def _next(known: Task, state: TaskState, *, at: datetime, has_other_messages: bool) -> Task:
    state = _with_outcome_of(known.state, replace(state, id=known.id))
    if state == known.state and not has_other_messages:
        return known
    following = became(known, state, at=at)
    says_other = replace(state, order=known.order) != known.state or has_other_messages
    is_still_success = known.status is TaskStatus.SUCCESS is state.status
    if says_other and is_still_success:
        completions = known.completions + 1
        return replace(following, completions=completions, space_digested=False)
    return following


def _with_outcome_of(known: TaskState, state: TaskState) -> TaskState:
    """Keep what was set from outside: it wins over whatever is observed."""
    if not known.settled:
        return state
    reason = (known.outcome_reason,) if known.outcome_reason else ()
    return replace(
        state,
        status=known.status,
        progresses=with_lines(state.progresses, reason),
        settled=True,
        outcome_reason=known.outcome_reason,
    )


def _is_completed_anew(known: Task | None, task: Task) -> bool:
    return task.completions > (known.completions if known else 0)


def _recognise(old: Generation, new: TaskList) -> Mapping[int, Task]:
    """Find, for the orders of new tasks, the old ones that they are; each is one at most."""
    known = {task.id: task for task in old.tasks}
    heirs: dict[int, Task] = {}
    taken: set[TaskId] = set()
    for order, task_id in _likely(old, new):
        if order not in heirs and task_id not in taken:
            heirs[order] = known[task_id]
            taken.add(task_id)
    return heirs


def _likely(old: Generation, new: TaskList) -> Iterator[tuple[int, TaskId]]:
    """Pair new with old tasks: planning with planning, else by messages, then by description."""
    yield from ((PLANNING, task.id) for task in old.tasks if task.order == PLANNING)
    shared = _overlaps(old.links, new.links)
    tasks = [task for task in old.tasks if task.order > PLANNING]
    orders = {task.id: task.order for task in tasks}
    found = [
        (-share, orders[task_id], order, task_id)
        for (task_id, order), share in shared.items()
        if share >= RECOGNISED and task_id in orders and order > PLANNING
    ]
    yield from ((order, task_id) for _, _, order, task_id in sorted(found))
    described: dict[str, list[TaskId]] = defaultdict(list)
    for task in tasks:
        described[task.state.description.casefold()].append(task.id)
    for order, state in sorted(new.tasks.items()):
        if order > PLANNING:
            yield from ((order, task_id) for task_id in described[state.description.casefold()])


def _overlaps(
    old: Mapping[MessageId, TaskId], new: Mapping[MessageId, int]
) -> Mapping[tuple[TaskId, int], float]:
    """Measure what old and new tasks share: messages of both over messages of either."""
    common = Counter((old[message], order) for message, order in new.items() if message in old)
    sizes, orders = Counter(old.values()), Counter(new.values())
    return {
        (task_id, order): count / (sizes[task_id] + orders[order] - count)
        for (task_id, order), count in common.items()
    }


def _messages_by_task(links: Mapping[MessageId, _Key]) -> Mapping[_Key, set[MessageId]]:
    found: dict[_Key, set[MessageId]] = defaultdict(set)
    for message, key in links.items():
        found[key].add(message)
    return found
