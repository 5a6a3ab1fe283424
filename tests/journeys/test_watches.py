"""Watches that were opened before 1,000 changes, while gateway and services are killed twice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
from grpc import aio

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext_server.demo import story
from tests.engines import state_folder
from tests.journeys.client import Client, ask_patiently, channel_to, until_broken
from tests.journeys.system import AS_PROJECT, System, running

CHANGES = 1000
DEATHS = (CHANGES // 3, 2 * CHANGES // 3)


@pytest.fixture
def fragile() -> Iterator[System]:
    """A system that is killed here."""
    with state_folder() as folder:
        yield from running(System(folder, {"ACONTEXT_BUFFER_IDLE_SECONDS": "0.3"}))


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_watches_see_each_of_a_thousand_changes_once_and_in_order(fragile: System) -> None:
    async with channel_to(fragile.address) as channel:
        client = Client(channel)
        observed = await client.create_session()
        for message in story.README:
            await client.store(observed, message)
        assert (await client.flush(observed)).status == 200
        task = (await client.tasks(observed))[0]
        stored = await client.create_session()
        async with asyncio.timeout(800), asyncio.TaskGroup() as group:
            tasks = group.create_task(watch_task(channel, task, task.version + CHANGES))
            messages = group.create_task(watch_session(channel, stored, CHANGES))
            group.create_task(change_task(channel, task, lambda: die(fragile)))
            group.create_task(store_messages(client, stored))
        assert tasks.result() == list(range(1, task.version + CHANGES + 1))
        assert messages.result() == list(range(1, CHANGES + 1))


async def change_task(
    channel: aio.Channel, task: observer.Task, die: Callable[[], Awaitable[None]]
) -> None:
    """Change a task a thousand times; a call that is repeated changes nothing more."""
    stub = observer.TaskServiceStub(channel)
    for number in range(CHANGES):
        if number in DEATHS:
            await die()
        status = "success" if (number % 2) == (task.status == "success") else "failed"
        request = observer.SetTaskOutcomeRequest(task_id=task.id, status=status)
        await ask_patiently(partial(stub.SetTaskOutcome, request, metadata=AS_PROJECT, timeout=20))


async def store_messages(client: Client, session_id: str) -> None:
    for number in range(CHANGES):
        await client.store(session_id, {"role": "user", "content": f"Line {number}."})


async def die(system: System) -> None:
    """Kill gateway and services at once; the supervisor starts them again."""
    victims = [*system.services(), *system.gateway()]
    assert len(victims) == 3
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def watch_task(channel: aio.Channel, task: observer.Task, last: int) -> list[int]:
    """Read versions of a task, resuming behind the last cursor whenever the watch breaks."""
    stub = observer.TaskServiceStub(channel)
    seen: list[int] = []
    cursor = ""

    def watch() -> AsyncIterable[observer.WatchTasksResponse]:
        request = observer.WatchTasksRequest(session_id=task.session_id, cursor=cursor)
        return stub.WatchTasks(request, metadata=AS_PROJECT)

    while not seen or seen[-1] < last:
        async for response in until_broken(watch()):
            cursor = response.change.cursor
            if response.change.task.id == task.id:
                seen.append(response.change.task.version)
                if seen[-1] >= last:
                    break
    return seen


async def watch_session(channel: aio.Channel, session_id: str, last: int) -> list[int]:
    """Read sequences of messages, resuming behind the last whenever the watch breaks."""
    stub = session.SessionServiceStub(channel)
    seen: list[int] = []
    while not seen or seen[-1] < last:
        request = session.WatchSessionRequest(
            session_id=session_id, after_sequence=seen[-1] if seen else 0
        )
        async for response in until_broken(stub.WatchSession(request, metadata=AS_PROJECT)):
            seen.append(response.message.sequence)
            if seen[-1] >= last:
                break
    return seen
