"""Observing a session anew by a model, through the real services, against a script."""

from collections.abc import Iterable
from functools import partial

import pytest

from acontext.observer import v1 as pb
from acontext_server.kit.config import Settings
from tests.model.endpoint import FINISH, Endpoint, call, calls, error
from tests.model.test_observing import runs
from tests.observer.conftest import Observer
from tests.services import Platform
from tests.space.running import reason

append = partial(call, "append_messages_to_task")
insert = partial(call, "insert_task")
update = partial(call, "update_task")

SAID = [
    {"role": "user", "content": "Find a hotel in Oslo. Then tell me the weather there."},
    {"role": "assistant", "content": "The Opera Hotel has rooms, and it is sunny."},
    {"role": "user", "content": "Great, thanks."},
]
HOTEL, WEATHER, BOTH = "Find a hotel in Oslo", "Tell the weather in Oslo", "Plan a trip to Oslo"
IN_ONE = calls(insert(task=1, description=BOTH), append(task=1, messages=[1, 2, 3]), FINISH)
IN_TWO = calls(
    insert(task=1, description=HOTEL),
    insert(task=2, description=WEATHER),
    append(task=1, messages=[1], progress=["I found the Opera Hotel"]),
    append(task=2, messages=[2, 3]),
    update(task=1, status="success"),
    update(task=2, status="success"),
    FINISH,
)


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with the scripted model."""
    scripted = {"model_url": endpoint.url, "model_name": "scripted", "model_retries": 0}
    return settings.model_copy(update=scripted)


@pytest.fixture
async def observer(platform: Platform) -> Observer:
    """Session and observer."""
    await platform.start("session", "observer")
    return Observer(platform)


@pytest.fixture
async def session_id(observer: Observer, endpoint: Endpoint) -> str:
    """A session in which the model of the day found one task."""
    endpoint.script(IN_ONE)
    session_id = await observer.new_session()
    await observer.store(session_id, SAID)
    assert (await observer.flush(session_id)).status == 200
    return session_id


async def anew(
    observer: Observer, session_id: str, *, dry_run: bool = False
) -> pb.ReobserveSessionResponse:
    request = pb.ReobserveSessionRequest(session_id=session_id, dry_run=dry_run)
    return await observer.tasks.ReobserveSession(request, metadata=observer.platform.key)


def described(tasks: Iterable[pb.Task]) -> list[tuple[str, str]]:
    return [(one.data.task_description, one.status) for one in tasks]


OLD = [(BOTH, "pending")]
NEW = [(HOTEL, "success"), (WEATHER, "success")]


async def test_new_tasks_take_the_place_of_the_old_which_stay_readable(
    observer: Observer, session_id: str, endpoint: Endpoint
) -> None:
    assert described(await observer.tasks_of(session_id)) == OLD
    endpoint.script(IN_TWO)
    answer = await anew(observer, session_id)
    assert (described(answer.items), described(answer.former)) == (NEW, OLD)
    assert answer.generation == 2
    tasks = await observer.tasks_of(session_id)
    assert described(tasks) == NEW
    assert list(tasks[0].data.progresses) == ["I found the Opera Hotel"]
    linked = [one.task_id for one in await observer.messages(session_id)]
    assert linked == [tasks[0].id, tasks[1].id, tasks[1].id]
    told = endpoint.asked[-1]["messages"][1]["content"]
    assert "## Tasks so far\nnone" in told
    newest = (await runs(observer))[-1]
    assert (newest.engine, newest.outcome, newest.input_tokens) == ("scripted", "success", 100)
    assert newest.summary.startswith("observed anew")
    endpoint.script(IN_TWO)
    again = await anew(observer, session_id)
    assert (again.generation, described(again.former)) == (2, OLD)


async def test_a_dry_run_tells_the_difference_and_changes_nothing(
    observer: Observer, session_id: str, endpoint: Endpoint
) -> None:
    before = await observer.tasks_of(session_id), await observer.messages(session_id)
    endpoint.script(IN_TWO)
    answer = await anew(observer, session_id, dry_run=True)
    assert (described(answer.items), described(answer.former)) == (NEW, OLD)
    endpoint.script(IN_ONE)
    same = await anew(observer, session_id, dry_run=True)
    assert (list(same.items), list(same.former), same.generation) == ([], [], 1)
    assert (await observer.tasks_of(session_id), await observer.messages(session_id)) == before


async def test_a_model_that_fails_leaves_the_old_tasks(
    observer: Observer, session_id: str, endpoint: Endpoint
) -> None:
    endpoint.script(error(500))
    request = pb.ReobserveSessionRequest(session_id=session_id)
    call_ = observer.tasks.ReobserveSession(request, metadata=observer.platform.key)
    assert await reason(call_) == "UNAVAILABLE"
    assert described(await observer.tasks_of(session_id)) == OLD
