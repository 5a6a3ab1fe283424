"""`kill -9` at random moments while messages are stored and observed; `KILL_SEED` repeats a run."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from acontext.observer import v1 as observer
from acontext_server.demo import story
from tests.engines import state_folder
from tests.journeys.client import Client, Message, open_client
from tests.journeys.native_program import MESSAGES
from tests.journeys.system import System, eventually, running

SEED = int(os.environ.get("KILL_SEED", str(time.time_ns() % 1_000_000)))
WRITERS = 4
CONVERSATIONS: Sequence[Sequence[Message]] = (story.CI_SETUP, story.README, MESSAGES)


@pytest.fixture
def fragile() -> Iterator[System]:
    """A system that is observed eagerly, so that every moment is a bad one to die."""
    eager = {"ACONTEXT_BUFFER_IDLE_SECONDS": "0.3", "ACONTEXT_SWEEP_SECONDS": "1"}
    with state_folder() as folder:
        yield from running(System(folder, eager))


@dataclass
class Written:
    """A session, and the conversation that was acknowledged in it message by message."""

    session_id: str
    conversation: int


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.slow)])
async def test_nothing_is_lost_or_doubled_when_processes_are_killed(
    fragile: System, rounds: int
) -> None:
    print(f"KILL_SEED={SEED}")
    async with open_client(fragile.address) as client:
        space_id, calm_space_id = await client.create_space(), await client.create_space()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            writing = [
                group.create_task(write(client, space_id, number, over))
                for number in range(WRITERS)
            ]
            await kill_again_and_again(fragile, rounds)
            over.set()
        written = [one for task in writing for one in task.result()]
        print(f"{len(written)} conversations were written meanwhile")
        await check_messages(client, written)
        calm = [
            await write_one(client, calm_space_id, number) for number in range(len(CONVERSATIONS))
        ]
        await check_tasks(client, written, calm)
        await check_skills(client, (space_id, written), (calm_space_id, calm))
    assert fragile.stop() == 0


async def write(client: Client, space_id: str, writer: int, over: asyncio.Event) -> list[Written]:
    """Write conversations, one after the other, until it is over; finish the last."""
    chance = random.Random(f"{SEED} writer {writer}")
    written: list[Written] = []
    while not over.is_set():
        one = Written(await client.create_session(space_id), chance.randrange(len(CONVERSATIONS)))
        for number, message in enumerate(CONVERSATIONS[one.conversation], start=1):
            assert await client.store(one.session_id, message) == number
            await asyncio.sleep(chance.uniform(0, 0.15))
        written.append(one)
    return written


async def write_one(client: Client, space_id: str, conversation: int) -> Written:
    """Write a conversation in peace, for comparison."""
    session_id = await client.create_session(space_id)
    for message in CONVERSATIONS[conversation]:
        await client.store(session_id, message)
    return Written(session_id, conversation)


async def kill_again_and_again(system: System, rounds: int) -> None:
    """Kill one of our processes, then everything with the engines, and so on."""
    chance = random.Random(SEED)
    for number in range(rounds):
        await asyncio.sleep(chance.uniform(0.3, 3))
        if number % 2:
            system.kill_everything()
            await asyncio.to_thread(system.start)
        elif (victim := chance.choice([system.pid, *system.services()])) != system.pid:
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        else:
            system.kill_supervisor()
            await asyncio.to_thread(system.start)


async def check_messages(client: Client, written: Sequence[Written]) -> None:
    """Every acknowledged message is there, once, in order, and observed."""
    for one in written:
        flushed = await client.flush(one.session_id)
        assert flushed.status == 200, flushed
        conversation = CONVERSATIONS[one.conversation]
        assert list(await client.sequences(one.session_id)) == [
            number for number, _ in enumerate(conversation, start=1)
        ]
        assert [content_of(message) for message in await client.messages(one.session_id)] == [
            content_of(message) for message in conversation
        ]
        status = await client.observed(one.session_id)
        counts = (status.observed, status.in_process, status.pending, status.failed)
        assert counts == (len(conversation), 0, 0, 0)


def content_of(message: Message) -> object:
    return message["role"], message.get("content"), message.get("tool_calls")


async def check_tasks(client: Client, written: Sequence[Written], calm: Sequence[Written]) -> None:
    """The tasks are those of the same conversation observed in peace."""
    expected: dict[int, object] = {}
    for one in calm:
        assert (await client.flush(one.session_id)).status == 200
        expected[one.conversation] = told(await client.tasks(one.session_id))
        assert expected[one.conversation]
    for one in written:
        assert told(await client.tasks(one.session_id)) == expected[one.conversation]


def told(tasks: Sequence[observer.Task]) -> object:
    return [
        (task.order, task.status, task.data.SerializeToString(deterministic=True)) for task in tasks
    ]


async def check_skills(
    client: Client,
    stormy: tuple[str, Sequence[Written]],
    calm: tuple[str, Sequence[Written]],
) -> None:
    """The space learned what the same conversations teach in peace, and each thing once."""
    learned: list[list[str]] = []
    for space_id, written in (stormy, calm):
        for one in written:
            await eventually("all is learned", lambda one=one: learned_all(client, one))
        learned.append(sorted(skill.sop.use_when for skill in await client.skills(space_id)))
    taught = {one.conversation for one in stormy[1]}
    assert len(set(learned[0])) == len(learned[0]), learned
    if taught == set(range(len(CONVERSATIONS))):
        assert learned[0] == learned[1]


async def learned_all(client: Client, one: Written) -> bool:
    return await client.unlearned(one.session_id) == 0
