"""Our SDK while gateway and services are killed: nothing lost, nothing doubled, watches go on."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from acontext import AcontextAsyncClient, AcontextClient
from acontext_server.demo import story
from tests.engines import state_folder
from tests.journeys.client import set_outcome
from tests.journeys.system import KEY, System, eventually, running

MESSAGES = 1000
KILLS = 4

pytestmark = pytest.mark.slow


@pytest.fixture
def fragile() -> Iterator[System]:
    """A system of this test's own."""
    with state_folder() as folder:
        yield from running(System(folder))


def kill(system: System, turn: int) -> None:
    """Kill services and gateway; every second time everything, engines and supervisor too."""
    if turn % 2:
        system.kill_everything()
        system.start()
        return
    for pid in [*system.services(), *system.gateway()]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Sender(threading.Thread):
    """Sends messages one after the other with the blocking client."""

    def __init__(self, system: System, session_id: str) -> None:
        super().__init__()
        self._system = system
        self._session_id = session_id
        self.sent = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        with AcontextClient(base_url=self._system.url, api_key=KEY) as client:
            patient = client.with_options(timeout=180.0, max_retries=1000)
            try:
                for number in range(MESSAGES):
                    blob = {"role": "user", "content": f"message {number}"}
                    patient.sessions.send_message(self._session_id, blob=blob)
                    self.sent = number + 1
            except Exception as failure:  # whatever it is, the test has to show it
                self.failure = failure


async def watched(client: AcontextAsyncClient, session_id: str) -> list[int]:
    """Follow a session until its last message."""
    seen: list[int] = []
    async for message in client.sessions.watch(session_id):
        seen.append(message.sequence)
        if message.sequence == MESSAGES:
            return seen
    return seen


async def until_sent(sender: Sender, count: int) -> None:
    async def is_so() -> bool:
        return sender.sent >= count or not sender.is_alive()

    await eventually(f"{count} messages are sent", is_so, seconds=200)


@pytest.mark.timeout(900)
async def test_a_thousand_messages_and_a_watch_survive_kills(fragile: System) -> None:
    async with AcontextAsyncClient(base_url=fragile.url, api_key=KEY) as client:
        session_id = (await client.sessions.create()).id
        watch = asyncio.create_task(watched(client, session_id))
        sender = Sender(fragile, session_id)
        sender.start()
        for turn in range(KILLS):
            await until_sent(sender, (turn + 1) * MESSAGES // (KILLS + 1))
            await asyncio.to_thread(kill, fragile, turn)
        await asyncio.to_thread(sender.join, 400)
        assert (sender.failure, sender.sent) == (None, MESSAGES)
        assert await asyncio.wait_for(watch, 60) == [*range(1, MESSAGES + 1)]
        stored = [one async for one in client.sessions.list_all_messages(session_id)]
        assert [one.sequence for one in stored] == [*range(1, MESSAGES + 1)]
        texts = [one.parts[0].text for one in stored]
        assert texts == [f"message {number}" for number in range(MESSAGES)]


@pytest.mark.timeout(600)
async def test_a_watch_of_tasks_goes_on_where_it_was(fragile: System) -> None:
    async with AcontextAsyncClient(base_url=fragile.url, api_key=KEY) as client:
        patient = client.with_options(timeout=180.0, max_retries=1000)
        plan = "Sure, my plan is below:\n1. Find flights\n2. Book a hotel"
        said = {"user": "Plan a trip to Lisbon", "assistant": plan}
        blobs = [{"role": role, "content": text} for role, text in said.items()]
        blobs.append({"role": "user", "content": "Good."})
        cursors: list[str] = []

        async def follow() -> None:
            async for change in client.tasks.watch(cursor=""):
                cursors.append(change.cursor)

        watch = asyncio.create_task(follow())
        for turn in range(2):
            session_id = (await patient.sessions.create()).id
            await patient.sessions.store_messages(session_id, blobs)
            assert (await patient.sessions.flush(session_id)).status == 200
            await asyncio.to_thread(kill, fragile, turn)
        await patient.ping()
        every = []
        async with asyncio.timeout(60):
            async for change in client.tasks.watch(cursor=""):
                every.append(change.cursor)
                if change.task.session_id == session_id and change.task.order == 2:
                    break

        async def caught_up() -> bool:
            return len(cursors) >= len(every)

        await eventually("the watch has seen every change", caught_up)
        watch.cancel()
        assert cursors[: len(every)] == every
        assert len(set(cursors)) == len(cursors)


@pytest.mark.timeout(300)
async def test_a_watch_that_breaks_before_its_first_change_misses_none(fragile: System) -> None:
    async with AcontextAsyncClient(base_url=fragile.url, api_key=KEY) as client:
        session_id = (await client.sessions.create()).id
        await client.sessions.store_messages(session_id, story.README)
        assert (await client.sessions.flush(session_id)).status == 200
        task = (await client.sessions.get_tasks(session_id)).items[0]
        watch = asyncio.ensure_future(anext(client.tasks.watch()))
        for _ in range(3):  # asked behind the watch, of the same service
            await client.tasks.get_statistics()
        with fragile.without_gateway():
            await set_outcome(fragile.address_of("observer"), task.id, "failed")
        change = await asyncio.wait_for(watch, 60)
        assert (change.task.id, change.task.status) == (task.id, "failed")
