"""The model engine: a chat model decides, its tools hold the rules.

All calls of a run only collect changes; whoever asked the engine applies them together.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from acontext_server.kit.model import Models
from acontext_server.kit.model.instructions import read_instructions
from acontext_server.kit.model.loop import NotDone, Work, work
from acontext_server.kit.model.tools import Function, Line, Refused
from acontext_server.observer.agents.engine import Batch, EngineFailed, Observed
from acontext_server.observer.agents.reading import batch_text
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.domain import (
    PLANNING,
    AddPreference,
    AddProgress,
    Change,
    ChangeRefused,
    DescribeTask,
    LinkMessage,
    MoveTask,
    OpenTask,
    TaskList,
    TaskState,
    TaskStatus,
    may_follow,
)

MOST_NEW_TASKS = 20
STATE: Mapping[str, Any] = {"engine": "model"}
"""All that it has to remember stands in the tasks."""

TaskNumber = Annotated[int, Field(description="Number of the task in the list.", ge=1)]
MessageNumbers = Annotated[
    list[int], Field(description="Numbers of the new messages, as they stand in brackets.")
]


class ModelEngine:
    """Asks a chat model, the server's or the one that the project chose."""

    spends = True

    def __init__(self, models: Models, *, rounds: int) -> None:
        self._models = models
        self._rounds = rounds
        self._instructions = read_instructions(Path(__file__).with_name("observer.md"))
        self.name = models.of("observer").name
        self.version = self._instructions.version

    async def observe(self, batch: Batch) -> Observed:
        """Let the model record a batch; EngineFailed unless it came to its end."""
        if not batch.messages:
            return Observed(changes=(), state=batch.state, rounds=0)
        record, wishes = Record(batch), batch.wishes
        model = self._models.of("observer", wishes.model)
        rounds, text = wishes.rounds or self._rounds, self._instructions.text
        try:
            done = await work(model, text, partial(batch_text, batch), record.tools, rounds=rounds)
        except NotDone as error:
            raise EngineFailed(str(error), _observed((), error.work, model.name)) from error
        return _observed(record.changes, done, model.name)


def _observed(changes: Sequence[Change], done: Work, engine: str) -> Observed:
    return Observed(
        changes=tuple(changes),
        state=STATE,
        rounds=done.rounds,
        tool_calls=done.tool_calls,
        input_tokens=done.usage.input_tokens,
        output_tokens=done.usage.output_tokens,
        cost=done.usage.cost,
        engine=engine,
        note=done.note,
    )


class Record:
    """What a model wants to change, checked call by call against the rules about tasks."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._before = {task.order: task for task in batch.tasks}
        self._after = TaskList(batch.tasks)
        self.changes: list[Change] = []

    @property
    def tools(self) -> Sequence[Function]:
        """The tools, in the order in which they are mostly needed."""
        return (
            self.insert_task,
            self.append_messages_to_planning,
            self.append_messages_to_task,
            self.update_task,
            self.finish,
        )

    def insert_task(
        self,
        task: Annotated[int, Field(description="Its number: the next one of the list.", ge=1)],
        description: Annotated[Line, Field(description="What is to be done.")],
    ) -> str:
        """Add a task at the end of the list; it is pending."""
        for known in self._after.tasks.values():
            if known.description.casefold() == description.casefold():
                if known.order == task:
                    return f"task {task} is in the list"
                raise Refused(f"task {known.order} says the same; use that one")
        if sum(isinstance(one, OpenTask) for one in self.changes) >= MOST_NEW_TASKS:
            raise Refused("these are more tasks than a conversation has; keep to top-level steps")
        following = max(self._after.last, PLANNING) + 1
        if task != following:
            # Calls of the same answer name tasks by the numbers that the model expects.
            raise Refused(f"the next task is number {following}")
        self._apply(OpenTask(order=following, description=description))
        return f"inserted as task {following}"

    def update_task(
        self,
        task: TaskNumber,
        status: Literal["pending", "running", "success", "failed"] | None = None,
        description: Annotated[
            Line | None, Field(description="Only where the requirement changed.")
        ] = None,
    ) -> str:
        """Change a task's status, description or both."""
        changes: list[Change] = []
        if description:
            changes.append(DescribeTask(order=task, description=description))
        if status:
            changes += self._moves(task, TaskStatus(status))
        if not changes:
            raise Refused("give a status or a description")
        self._apply(*changes)
        return f"task {task} is {self._after.tasks[task].status}"

    def append_messages_to_task(
        self,
        task: TaskNumber,
        messages: MessageNumbers,
        progress: Annotated[
            list[Line], Field(description="Milestones, in the agent's first person.")
        ] = [],  # noqa: B006 read only, and the schema shows it
        preferences: Annotated[
            list[Line], Field(description="What the user expects or wants, and facts needed.")
        ] = [],  # noqa: B006 as above
        outdated: Annotated[
            list[Line],
            Field(description="Preferences of the task that a new one contradicts, word by word."),
        ] = [],  # noqa: B006 as above
    ) -> str:
        """Give new messages to a task, with the progress and preferences that they tell of."""
        changes: list[Change] = list(self._links(task, messages))
        changes += [AddProgress(order=task, text=text) for text in progress]
        changes += [AddPreference(order=task, text=text) for text in preferences]
        changes += self._replacements(task, preferences, outdated)
        self._apply(*changes)
        return f"appended to task {task}"

    def append_messages_to_planning(self, messages: MessageNumbers) -> str:
        """Give new messages to the planning section: talk about requirements, which is no task."""
        self._apply(*self._links(PLANNING, messages))
        return "appended to planning"

    def finish(self) -> str:
        """End the work, once everything in the new messages is recorded."""
        self._check_work_is_recorded()
        self._check_successes_are_shown()
        self._check_open_calls()
        self._check_work_has_begun()
        return "done"

    def _apply(self, *changes: Change) -> None:
        """Make all changes of a call or none."""
        trial = deepcopy(self._after)
        for change in changes:
            try:
                trial.apply(change)
            except ChangeRefused as error:
                raise Refused(f"{error}{_advice(change)}") from error
        self._after = trial
        self.changes.extend(changes)

    def _moves(self, order: int, status: TaskStatus) -> Sequence[MoveTask]:
        """Let an end that new messages show begin with the work that led to it."""
        known = self._after.tasks.get(order)
        is_shown = order in self._after.links.values()
        ends = status in (TaskStatus.SUCCESS, TaskStatus.FAILED)
        if known and ends and is_shown and not may_follow(known.status, status):
            return [MoveTask(order=order, status=one) for one in (TaskStatus.RUNNING, status)]
        return [MoveTask(order=order, status=status)]

    def _links(self, order: int, numbers: Sequence[int]) -> Sequence[LinkMessage]:
        known = self._batch.messages
        for number in numbers:
            if not 1 <= number <= len(known):
                raise Refused(f"there is no new message {number}; they are 1 to {len(known)}")
        return [LinkMessage(order=order, message_id=known[one - 1].id) for one in numbers]

    def _replacements(
        self, task: int, preferences: Sequence[str], outdated: Sequence[str]
    ) -> Sequence[Change]:
        known = self._after.tasks[task].preferences if task in self._after.tasks else ()
        spelled = {_plain(text): text for text in known}
        for text in outdated:
            if _plain(text) not in spelled:
                listed = "; ".join(known) or "none"
                raise Refused(f"task {task} has no preference {text!r}; it has: {listed}")
            if not preferences:
                raise Refused("a preference becomes outdated only by a new one")
        return [
            AddPreference(order=task, text=preferences[-1], replaces=spelled[_plain(text)])
            for text in outdated
        ]

    def _check_work_is_recorded(self) -> None:
        working = [
            number
            for number, message in enumerate(self._batch.messages, start=1)
            if message.calls or message.results
        ]
        if working and not self._after.links:
            numbers = ", ".join(map(str, working))
            raise Refused(f"messages {numbers} use tools: append them to the task they work on")

    def _check_work_has_begun(self) -> None:
        worked_on = (self._after.links.get(one.id) for one in self._batch.messages if one.calls)
        for order in worked_on:
            if order and self._after.tasks[order].status is TaskStatus.PENDING:
                raise Refused(
                    f"tools were called for task {order}, so it is not pending: say whether it is"
                    " running, success or failed"
                )

    def _check_successes_are_shown(self) -> None:
        linked = set(self._after.links.values())
        for order, task in self._after.tasks.items():
            if self._succeeded(task) and order not in linked and not task.progresses:
                raise Refused(
                    f"task {order} is success, but no message shows it: append those that do, or"
                    " leave its status as it was"
                )

    def _succeeded(self, task: TaskState) -> bool:
        known = self._before.get(task.order)
        was_success = known is not None and known.status is TaskStatus.SUCCESS
        return task.status is TaskStatus.SUCCESS and not was_success

    def _check_open_calls(self) -> None:
        """A call at the very end that nobody has answered yet leaves its task running."""
        waiting = _unanswered(self._batch.messages)
        order = self._after.links.get(waiting.id) if waiting else None
        task = self._after.tasks.get(order) if order else None
        if task and self._succeeded(task):
            raise Refused(
                f"task {task.order} is success, but its last tool call has no result yet: set it to"
                " running"
            )


def _plain(text: str) -> str:
    return text.casefold().strip(" .!\"'")


def _advice(change: Change) -> str:
    if not isinstance(change, MoveTask):
        return ""
    if change.status is TaskStatus.PENDING:
        return "; work that began stays begun"
    return "; append the new messages that show it to the task first, then set the status"


def _unanswered(messages: Sequence[Message]) -> Message | None:
    """Find the message at the end whose calls still wait for a result."""
    answered: set[str] = set()
    count = 0
    for message in reversed(messages):
        if message.calls:
            names = {call.id for call in message.calls if call.id}
            waits = not names <= answered if names else count < len(message.calls)
            return message if waits else None
        if message.text:
            return None
        answered |= {result.call_id for result in message.results}
        count += len(message.results)
    return None
