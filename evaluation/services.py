"""Conversations through the real services: stored, observed, learned from, asked."""

import asyncio
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from google.protobuf.struct_pb2 import Struct

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.demo.gateway import Gateway, open_gateway
from benchmarks.system import KEY, open_system
from evaluation.conversations import Conversation
from evaluation.figures import FoundTask
from evaluation.models import model_environment

AT_ONCE = 12
MODEL_PATIENCE_SECONDS = 3600.0

_EVERYTHING = 2.0
"""The largest cosine distance."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class NotDone(Exception):
    """The services left something undone; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A conversation as it was observed."""

    conversation: Conversation
    session_id: str
    tasks: Sequence[FoundTask]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a skill said, and the tasks that taught it."""

    use_when: str
    preferences: str
    steps: Sequence[tuple[str, str]]
    """Tool and action."""
    task_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """A learned skill with all its versions, the oldest first."""

    id: str
    versions: Sequence[Version]

    @property
    def task_ids(self) -> list[str]:
        """All tasks that taught it."""
        return [task_id for version in self.versions for task_id in version.task_ids]


class Services:
    """Everything the evaluation asks of a running Acontext, through its public API."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def token_use(self) -> observer.TokenUse:
        """Say what models took so far."""
        request = observer.GetTokenUseRequest()
        answer = await self._gateway.runs.GetTokenUse(request, metadata=self._gateway.as_project)
        return answer.token_use

    async def create_space(self) -> str:
        """Make a space that learns every task, however easy."""
        configs = Struct()
        configs.update({"learning": {"minimum_difficulty": 0}})
        request = space.CreateSpaceRequest(configs=configs)
        made = await self._gateway.spaces.CreateSpace(request, metadata=self._gateway.as_project)
        return made.space.id

    async def learn(self, conversations: Iterable[Conversation], space_id: str) -> list[Run]:
        """Store conversations in a session each, and have them observed and learned."""
        runs = await at_once(conversations, lambda one: self._observe(one, space_id))
        left = await self._gateway.wait_until_learned(
            [run.session_id for run in runs], patience=_patience()
        )
        if left:
            raise NotDone(f"{left} successful tasks were not learned")
        await self._until_indexed(space_id)
        return runs

    async def _observe(self, conversation: Conversation, space_id: str) -> Run:
        session_id = await self._gateway.create_session(space_id)
        blobs = [json.dumps(message).encode() for message in conversation.messages]
        stored = await self._gateway.store(session_id, blobs)
        if stored.refused:
            raise NotDone(f"{conversation.id}: {stored.refused[0]}")
        await self._gateway.flush(session_id)
        messages = await self._messages(session_id)
        of_task: dict[str, set[int]] = defaultdict(set)
        for message in messages:
            of_task[message.task_id].add(message.sequence - 1)
        tasks = [
            FoundTask(
                id=task.id,
                description=task.data.task_description,
                status=task.status,
                messages=frozenset(of_task[task.id]),
                notes=(*task.data.progresses, *task.data.user_preferences),
            )
            for task in await self._gateway.list_tasks(session_id)
        ]
        return Run(conversation=conversation, session_id=session_id, tasks=tasks)

    async def _messages(self, session_id: str) -> Sequence[session.Message]:
        """Give all messages once session knows what became of each."""
        request = session.ListMessagesRequest(session_id=session_id, format="acontext", limit=0)
        async with asyncio.timeout(_patience()):
            while True:
                answer = await self._gateway.sessions.ListMessages(
                    request, metadata=self._gateway.as_project
                )
                states = {one.session_task_process_status for one in answer.items}
                if answer.has_more or "failed" in states:
                    raise NotDone(f"session {session_id} was not observed whole")
                if states <= {"success"}:
                    return answer.items
                await asyncio.sleep(0.1)

    async def write_skills(self, skills: Mapping[str, str], space_id: str) -> dict[str, str]:
        """Write skills by hand, given by name with what each is for; give their ids by name."""
        page = await self._create(
            space.CreateBlockRequest(space_id=space_id, type="page", title="skills")
        )

        props = Struct()
        props.update({"tool_sops": [{"tool_name": "do", "action": "do it"}]})

        async def write(name: str) -> tuple[str, str]:
            return name, await self._create(
                space.CreateBlockRequest(
                    space_id=space_id, type="sop", title=skills[name], props=props, parent_id=page
                )
            )

        made = dict(await at_once(skills, write))
        await self._until_indexed(space_id)
        return made

    async def _create(self, request: space.CreateBlockRequest) -> str:
        made = await self._gateway.spaces.CreateBlock(request, metadata=self._gateway.as_project)
        return made.id

    async def _until_indexed(self, space_id: str) -> None:
        """Wait until every skill is found by what it is for."""
        async with asyncio.timeout(_patience()):
            for skill in await self._gateway.list_skills(space_id):
                found = await self.search(space_id, skill.sop.use_when, _EVERYTHING)
                while skill.id not in found:
                    await asyncio.sleep(0.1)
                    found = await self.search(space_id, skill.sop.use_when, _EVERYTHING)

    async def skills(self, space_id: str) -> list[Skill]:
        """Give all skills of a space, with their versions."""
        return await at_once(
            await self._gateway.list_skills(space_id), lambda one: self._skill(one.id)
        )

    async def _skill(self, skill_id: str) -> Skill:
        answer = await self._gateway.skill(skill_id)
        versions = sorted(answer.versions, key=lambda version: version.version)
        return Skill(id=skill_id, versions=[_version(version) for version in versions])

    async def search(
        self, space_id: str, query: str, threshold: float | None = None
    ) -> Sequence[str]:
        """Find the ids of the skills that fit, best first."""
        request = space.SearchSkillsRequest(
            space_id=space_id, query=query, semantic_threshold=threshold
        )
        answer = await self._gateway.skills.SearchSkills(request, metadata=self._gateway.as_project)
        return [block.block_id for block in answer.cited_blocks]


@asynccontextmanager
async def open_services() -> AsyncIterator[Services]:
    """Start the embedded system in a folder and on a port of its own; ENGINE=model asks a model."""
    with_model = os.environ.get("ENGINE") == "model"
    chosen = model_environment() if with_model else {"ACONTEXT_MODEL_URL": "rules:"}
    with tempfile.TemporaryDirectory(prefix="acontext-eval-") as folder:
        async with (
            open_system(Path(folder), chosen) as system,
            open_gateway(system.address, KEY) as gateway,
        ):
            yield Services(gateway)


def _patience() -> float:
    return MODEL_PATIENCE_SECONDS if os.environ.get("ENGINE") == "model" else 120.0


async def at_once(items: Iterable[Item], do: Callable[[Item], Awaitable[Result]]) -> list[Result]:
    """Do the same with all items, a dozen at a time; the results are in the items' order."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> Result:
        async with free:
            return await do(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def _version(version: space.SkillVersion) -> Version:
    return Version(
        use_when=version.sop.use_when,
        preferences=version.sop.preferences,
        steps=[(step.tool_name, step.action) for step in version.sop.tool_sops],
        task_ids=[source.task_id for source in version.sources],
    )
