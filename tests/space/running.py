"""A running space as its callers see it, and conversations to learn from."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from grpc import aio
from sqlalchemy import text

from acontext.observer import v1 as observer
from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.database import Database, open_database
from acontext_server.kit.ids import uuid7
from acontext_server.kit.rpc import reason_of
from acontext_server.space.domain.blocks import Block, BlockType
from acontext_server.space.store import blocks
from tests.services import Platform
from tests.space.neighbours import ROOT, Message, Neighbours

T = TypeVar("T")


async def eventually(question: Callable[[], Awaitable[T]], answer: Callable[[T], bool]) -> T:
    """Ask until the answer is right, or show the last wrong one."""
    deadline = time.monotonic() + 60
    while not answer(found := await question()):
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)
    return found


async def reason(call: Awaitable[object]) -> str | None:
    """Say why a call is refused; None when it is not."""
    try:
        await call
    except aio.AioRpcError as error:
        return reason_of(error)
    return None


def called(name: str, call_id: str, **arguments: Any) -> Message:
    """An assistant's message with one tool call."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    calls = [{"id": call_id, "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def answered(call_id: str, content: str) -> Message:
    """A tool's answer."""
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def said(role: str, content: str) -> Message:
    """A message with text."""
    return {"role": role, "content": content}


STARRING: Sequence[Message] = (
    said("user", "Please star the repo memobase on github.com. Always use my personal account."),
    called("goto", "1", url="https://github.com/memodb-io/memobase"),
    answered("1", "opened"),
    called("click", "2", selector="#fork"),
    answered("2", "Error: no such element"),
    called("click", "3", selector="#star"),
    answered("3", "starred"),
    said("assistant", "Done, the repo is starred."),
)
STARRING_TASK = "star the repo memobase on github.com"
STARRING_PREFERENCE = "user wants to always use the personal account"

WEATHER: Sequence[Message] = (
    said("user", "What will the weather be like in Oslo?"),
    called("get_weather", "1", city="Oslo"),
    answered("1", '{"temperature": 4}'),
    said("assistant", "4 degrees."),
)


class Space:
    """Space as its callers see it."""

    def __init__(self, platform: Platform, neighbours: Neighbours, bus: Bus) -> None:
        channel = platform.channel("space")
        self.spaces = pb.SpaceServiceStub(channel)
        self.skills = pb.SkillServiceStub(channel)
        self.platform = platform
        self.neighbours = neighbours
        self.key = Platform.key
        self._bus = bus

    async def create(self, **configs: Any) -> str:
        """Make a space."""
        request = pb.CreateSpaceRequest()
        request.configs.update(configs)
        answer = await self.spaces.CreateSpace(request, metadata=self.key)
        return answer.space.id

    async def complete(
        self, space_id: str, task: observer.GetTaskContextResponse, *, times: int = 1
    ) -> None:
        """Announce a completed task, as observer does."""
        for _ in range(times):
            event = observer.ObserverEvent(id=str(uuid7()), project_id=str(ROOT))
            event.task_completed.task_id = task.task.id
            event.task_completed.session_id = task.task.session_id
            event.task_completed.task_version = task.task.version
            event.task_completed.space_id = space_id
            await self.announce("observer", "task_completed", task.task.session_id, event)

    async def announce(self, service: str, event: str, entity: str, envelope: Any) -> None:
        """Publish an event of a neighbour."""
        await self._bus.ensure_stream(service)
        subject = self._bus.subject(service, event, ROOT, entity)
        await self._bus.publish(subject, envelope.SerializeToString(), message_id=envelope.id)

    async def learned(self, space_id: str, count: int = 1) -> Sequence[observer.Run]:
        """Wait until that many tasks have been dealt with."""

        async def runs() -> Sequence[observer.Run]:
            request = pb.ListLearningRunsRequest(space_id=space_id, limit=200)
            return (await self.skills.ListLearningRuns(request, metadata=self.key)).items

        return await eventually(runs, lambda found: len(found) >= count)

    async def list_skills(self, space_id: str) -> Sequence[pb.Skill]:
        """Read a space's skills."""
        request = pb.ListSkillsRequest(space_id=space_id, limit=200)
        return (await self.skills.ListSkills(request, metadata=self.key)).items

    async def search(self, space_id: str, query: str, **options: Any) -> Sequence[pb.CitedBlock]:
        """Search as it is now."""
        request = pb.SearchSkillsRequest(space_id=space_id, query=query, **options)
        return (await self.skills.SearchSkills(request, metadata=self.key)).cited_blocks

    async def found(self, space_id: str, query: str) -> Sequence[pb.CitedBlock]:
        """Search until something is found."""
        return await eventually(lambda: self.search(space_id, query), bool)

    async def create_block(self, space_id: str, type: str, **fields: Any) -> str:  # noqa: A002
        """Make a block."""
        props = fields.pop("props", {})
        request = pb.CreateBlockRequest(space_id=space_id, type=type, **fields)
        request.props.update(props)
        return (await self.spaces.CreateBlock(request, metadata=self.key)).id

    async def history(self, skill_id: str) -> pb.GetSkillResponse:
        """Read a skill with its history."""
        request = pb.GetSkillRequest(skill_id=skill_id)
        return await self.skills.GetSkill(request, metadata=self.key)

    async def waiting(self, space_id: str) -> Sequence[pb.Confirmation]:
        """Read what waits for a person."""
        request = pb.ListConfirmationsRequest(space_id=space_id)
        return (await self.skills.ListConfirmations(request, metadata=self.key)).items

    async def announced(self, kind: str) -> pb.SpaceEvent:
        """Wait until space announces an event of a kind."""
        seen: asyncio.Queue[pb.SpaceEvent] = asyncio.Queue()

        async def take(payload: bytes) -> None:
            event = pb.SpaceEvent.FromString(payload)
            if event.WhichOneof("event") == kind:
                seen.put_nowait(event)

        listening = asyncio.create_task(
            self._bus.listen("space", f"test_{kind}", [kind, f"deleted.{kind}"], take)
        )
        try:
            return await asyncio.wait_for(seen.get(), 15)
        finally:
            listening.cancel()

    def starring_task(self) -> observer.GetTaskContextResponse:
        """A task that was hard, because of an error and a preference."""
        return self.neighbours.completed_task(
            STARRING, description=STARRING_TASK, preferences=[STARRING_PREFERENCE]
        )

    def weather_task(self) -> observer.GetTaskContextResponse:
        """A task that was easy."""
        return self.neighbours.completed_task(WEATHER, description="tell the weather in Oslo")

    async def leave_intent_behind(self, space_id: str, title: str) -> None:
        """Commit a text as a process does that dies before its vector is written."""
        now, project = datetime.now(UTC), ROOT
        async with self._database() as database, database.transaction() as tx:
            page = _block(space_id, BlockType.PAGE, None, "page", now)
            note = _block(space_id, BlockType.TEXT, page.id, title, now)
            for block in (page, note):
                await blocks.insert_block(tx, project, block)
            await blocks.reindex(tx, project, note, page.title, now)

    async def count_vectors(self) -> int:
        """Count what the index holds."""
        async with self._database() as database, database.transaction() as tx:
            return int((await tx.execute(text("select count(*) from vectors.vector"))).scalar_one())

    def _database(self) -> AbstractAsyncContextManager[Database]:
        return open_database(self.platform.settings.database_url, pool=1)


def _block(
    space_id: str, kind: BlockType, parent_id: UUID | None, title: str, now: datetime
) -> Block:
    return Block(
        id=uuid7(),
        space_id=UUID(space_id),
        type=kind,
        parent_id=parent_id,
        title=title,
        sort=0,
        created_at=now,
        updated_at=now,
    )
