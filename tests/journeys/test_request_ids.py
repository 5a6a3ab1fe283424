"""A retried Create or Store with the same request id: one thing, one answer."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from dotenv import dotenv_values
from google.protobuf.message import Message
from grpc import StatusCode, aio

from acontext.session import v1 as session
from acontext_server.kit.rpc import reason_of
from tests.engines import state_folder
from tests.journeys.client import ask_patiently, channel_to
from tests.journeys.repeatable import ONCE, REPEATABLE, Repeatable, Surroundings, furnished
from tests.journeys.system import AS_PROJECT, System, running
from tests.proto.test_contracts import METHODS, reachable
from tests.services import Platform

CALLERS = 16

each_rpc = pytest.mark.parametrize("rpc", REPEATABLE.values(), ids=REPEATABLE)


def test_every_create_and_store_of_the_contracts_is_tried_here() -> None:
    taking = {
        method.name
        for method in METHODS
        if any(field.name == "request_id" for field in reachable(method.input_type, set()))
    }
    # Their bodies are JSON, which the contract describes in words.
    taking |= {"StoreMessageJson", "StoreMessageMultipart"}
    assert taking == set(REPEATABLE)
    making = {method.name for method in METHODS if method.name.startswith(("Create", "Store"))}
    assert making == {*REPEATABLE, *ONCE}


@pytest.fixture
async def at(platform: Platform) -> Surroundings:
    """Session, disk and space, in this process."""
    await platform.start("session", "disk", "space")
    return await furnished(Surroundings(platform.channel, platform.key, platform.operator))


@each_rpc
async def test_a_repeated_request_gets_the_first_answer(at: Surroundings, rpc: Repeatable) -> None:
    request_id, word = str(uuid4()), f"word-{uuid4()}"
    first = await rpc.call(at, request_id, word)
    for _ in range(3):
        assert await rpc.call(at, request_id, word) == first
    assert await rpc.made(at, word) == 1
    await rpc.call(at, str(uuid4()), word)
    assert await rpc.made(at, word) == 2


@each_rpc
async def test_sixteen_callers_at_the_same_moment_get_one_answer(
    at: Surroundings, rpc: Repeatable
) -> None:
    request_id, word = str(uuid4()), f"word-{uuid4()}"
    answers = await asyncio.gather(*(rpc.call(at, request_id, word) for _ in range(CALLERS)))
    assert all(answer == answers[0] for answer in answers)
    assert await rpc.made(at, word) == 1


@each_rpc
async def test_a_request_id_with_another_body_is_refused(at: Surroundings, rpc: Repeatable) -> None:
    request_id, word, other = str(uuid4()), f"word-{uuid4()}", f"other-{uuid4()}"
    await rpc.call(at, request_id, word)
    with pytest.raises(aio.AioRpcError) as refused:
        await rpc.call(at, request_id, other)
    expected = (StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert (refused.value.code(), reason_of(refused.value)) == expected
    assert (await rpc.made(at, word), await rpc.made(at, other)) == (1, 0)


@pytest.mark.parametrize("name", sorted(set(REPEATABLE) - {"CreateProject"}))
async def test_a_request_id_of_another_project_is_free(at: Surroundings, name: str) -> None:
    """But for CreateProject: the operator's requests belong to none."""
    rpc = REPEATABLE[name]
    request_id, word = str(uuid4()), f"word-{uuid4()}"
    await rpc.call(at, request_id, word)
    elsewhere = await furnished(await _another_project(at))
    await rpc.call(elsewhere, request_id, word)
    assert (await rpc.made(at, word), await rpc.made(elsewhere, word)) == (1, 1)


async def _another_project(at: Surroundings) -> Surroundings:
    request = session.CreateProjectRequest(name="another")
    made = await at.projects.CreateProject(request, metadata=at.operator)
    key = (("authorization", f"Bearer {made.secret}"),)
    return Surroundings(at.channel, key, at.operator)


@pytest.fixture(scope="module")
def fragile() -> Iterator[System]:
    """A system that is killed here."""
    with state_folder() as folder:
        yield from running(System(folder))


@pytest.mark.timeout(300)
async def test_a_kill_makes_neither_two_things_nor_two_answers(fragile: System) -> None:
    """Some calls are answered before everything is killed, others are on their way then."""
    secret = dotenv_values(fragile.folder / ".env")["ACONTEXT_ADMIN_KEY"]
    operator = (("authorization", f"Bearer {secret}"),)
    async with channel_to(fragile.address) as channel:
        at = await furnished(Surroundings(lambda _: channel, AS_PROJECT, operator))
        requests = {name: (str(uuid4()), f"word-{uuid4()}") for name in REPEATABLE}
        first = {name: await _ask(at, name, *requests[name]) for name in REPEATABLE}
        await _die_and_rise(fragile)
        for name, request in requests.items():
            assert await _ask(at, name, *request) == first[name], name
        late = {name: (str(uuid4()), f"word-{uuid4()}") for name in REPEATABLE}
        calls = [
            asyncio.create_task(_ask(at, name, *late[name])) for name in late for _ in range(3)
        ]
        # Some have arrived by now, some have not.
        await asyncio.sleep(0.02)
        await _die_and_rise(fragile)
        answers = await asyncio.gather(*calls)
        for number, name in enumerate(late):
            mine = answers[3 * number : 3 * number + 3]
            assert mine == [mine[0]] * 3, name
        for asked in (requests, late):
            made = {
                name: await REPEATABLE[name].made(at, word) for name, (_, word) in asked.items()
            }
            assert made == dict.fromkeys(REPEATABLE, 1)


async def _ask(at: Surroundings, name: str, request_id: str, word: str) -> Message:
    return await ask_patiently(lambda: REPEATABLE[name].call(at, request_id, word))


async def _die_and_rise(system: System) -> None:
    system.kill_everything()
    await asyncio.to_thread(system.start)
