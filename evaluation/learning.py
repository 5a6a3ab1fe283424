"""The figures of learning: what skills say, held against the conversations they come from."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from evaluation.conversations import Conversation, GoldTask, parsed
from evaluation.figures import FoundTask, Share, match
from evaluation.services import Run, Skill

Label = tuple[str, str]

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_PHONE = re.compile(r"\+?\(?\d{2,4}\)?[\s.-]\d{3}[\s.-]?\d{2,5}\b")
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z_])[\w-]{5,}\b|\b\d{4,}\b|\b(?=[A-Z]{6}\b)[A-Z]{6}\b")
_IDENTIFYING = re.compile(
    r"(?:^|_)(?:id|ids|uuid|number|phone|email|order|reservation|account_number)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """A task behind a skill: the one observed, its conversation, and the labelled one."""

    conversation: Conversation
    task: FoundTask
    gold: GoldTask | None

    @property
    def called(self) -> frozenset[str]:
        """The tools that were called in its messages."""
        return frozenset(
            name for index, name, _ in self.conversation.calls() if index in self.task.messages
        )


class LearningFigures:
    """What is to be said of the skills of one space."""

    def __init__(self, runs: Sequence[Run], skills: Sequence[Skill]) -> None:
        self.skills = skills
        self._tasks = {one.task.id: one for one in _taught(runs)}

    @property
    def versions(self) -> int:
        """How many versions there are of all skills."""
        return sum(len(skill.versions) for skill in self.skills)

    @cached_property
    def invented(self) -> list[str]:
        """Steps, of any version, whose tool was not called in the messages of a task behind it."""
        return list(self._invented())

    def _invented(self) -> Iterator[str]:
        for skill in self.skills:
            called: set[str] = set()
            for version in skill.versions:
                for task_id in version.task_ids:
                    called |= self._tasks[task_id].called
                yield from (tool for tool, _ in version.steps if tool not in called)

    @property
    def steps(self) -> int:
        """How many steps there are in all versions."""
        return sum(len(version.steps) for skill in self.skills for version in skill.versions)

    @property
    def agreement(self) -> tuple[float, int]:
        """How near the steps are to what was called for the labelled tasks behind them."""
        near = [
            _agreement([tool for tool, _ in skill.versions[-1].steps], gold.calls)
            for skill in self.skills
            for gold in self._gold(skill)
        ]
        return (sum(near) / len(near) if near else 0.0), len(near)

    @cached_property
    def leaks(self) -> list[tuple[str, str]]:
        """Skills that contain what identifies somebody or something of a conversation."""
        return [
            (skill.id, found)
            for skill in self.skills
            for found in sorted(self._identifying(skill))
            if any(_stands_in(found, text) for text in _texts(skill))
        ]

    @property
    def leaky(self) -> Share:
        """The share of skills that give something away."""
        return Share(hits=len({skill for skill, _ in self.leaks}), cases=len(self.skills))

    def _identifying(self, skill: Skill) -> set[str]:
        conversations = {
            id(one): one for one in (self._tasks[i].conversation for i in skill.task_ids)
        }
        return {text for one in conversations.values() for text in _identifying(one)}

    @property
    def intents(self) -> frozenset[Label]:
        """The labelled intents that were learned."""
        return frozenset(gold.label for skill in self.skills for gold in self._gold(skill))

    @property
    def mixed(self) -> int:
        """Skills that were taught by tasks of more than one intent."""
        return sum(len(self.labels(skill)) > 1 for skill in self.skills)

    def labels(self, skill: Skill) -> Counter[Label]:
        """Count the intents behind a skill."""
        return Counter(gold.label for gold in self._gold(skill))

    def label(self, skill: Skill) -> Label | None:
        """Give the intent that most of its tasks have."""
        most = self.labels(skill).most_common(1)
        return most[0][0] if most else None

    def _gold(self, skill: Skill) -> Iterator[GoldTask]:
        behind = (self._tasks[task_id].gold for task_id in skill.task_ids)
        return (gold for gold in behind if gold)


def _taught(runs: Sequence[Run]) -> Iterator[Taught]:
    for run in runs:
        pairs = match(run.conversation.tasks, run.tasks)
        labelled: Mapping[str, GoldTask] = {found.id: gold for gold, found in pairs}
        for task in run.tasks:
            gold = labelled.get(task.id)
            yield Taught(conversation=run.conversation, task=task, gold=gold)


def _agreement(one: Sequence[str], other: Sequence[str]) -> float:
    """The longest common subsequence, over the longer of the two."""
    row = [0] * (len(other) + 1)
    for name in one:
        before = row
        row = [0]
        for index, wanted in enumerate(other):
            row.append(before[index] + 1 if name == wanted else max(row[-1], before[index + 1]))
    longer = max(len(one), len(other))
    return row[-1] / longer if longer else 1.0


def _texts(skill: Skill) -> Iterator[str]:
    for version in skill.versions:
        yield from (version.use_when, version.preferences)
        yield from (action for _, action in version.steps)


def _identifying(conversation: Conversation) -> Iterator[str]:
    """Go through ids, addresses and numbers, except those that a tool's own name has."""
    tools = " ".join(name for _, name, _ in conversation.calls())
    text = "\n".join(json.dumps(message) for message in conversation.messages[1:])
    for message in conversation.messages:
        if message["role"] == "tool":
            yield from _under_keys(parsed(message["content"]))
    for _, _, arguments in conversation.calls():
        yield from _under_keys(arguments)
    for pattern in (_EMAIL, _PHONE, _CODE):
        yield from (found for found in pattern.findall(text) if found not in tools)


def _under_keys(payload: object, key: str = "") -> Iterator[str]:
    if isinstance(payload, dict):
        for name, value in payload.items():
            yield from _under_keys(value, str(name))
    elif isinstance(payload, list):
        for value in payload:
            yield from _under_keys(value, key)
    elif _IDENTIFYING.search(key) and len(str(payload)) > 2:
        yield str(payload)


def _stands_in(found: str, text: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(found)}(?!\w)", text, re.IGNORECASE))
