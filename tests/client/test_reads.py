"""What the dashboard shows, the SDK reads: lists over a whole project, by time and by state."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from acontext import AcontextAsyncClient, AcontextClient, errors
from acontext._model import moment_of
from acontext_server.demo import story
from tests.journeys.system import System, eventually
from tests.sdk.conftest import new_key

HELLO = {"role": "user", "content": "Hello."}
NOWHERE = "0198c0de-0000-7000-8000-000000000000"
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def key(system: System) -> str:
    """The key of a project of the test's own."""
    with httpx.Client(base_url=system.url, timeout=60) as http:
        return new_key(http, system)


@pytest.fixture
def own(system: System, key: str) -> Iterator[AcontextClient]:
    """A client of an empty project."""
    with AcontextClient(base_url=system.url, api_key=key) as client:
        yield client


@pytest.fixture
async def own_async(system: System, key: str) -> AsyncIterator[AcontextAsyncClient]:
    """The same with asyncio."""
    async with AcontextAsyncClient(base_url=system.url, api_key=key) as client:
        yield client


async def learned(client: AcontextAsyncClient) -> tuple[str, str]:
    """Let a space learn from a session; give the ids of both."""
    space_id = (await client.spaces.create()).id
    session_id = (await client.sessions.create(space_id=space_id)).id
    await client.sessions.store_messages(session_id, story.CI_SETUP)
    assert (await client.sessions.flush(session_id)).status == 200

    async def found() -> bool:
        return len(await client.spaces.skills.list(space_id)) > 0

    await eventually("a skill is learned", found)
    return space_id, session_id


@pytest.fixture
def three_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is set to UTC+3."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EAT-3")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("three_hours_east")
def test_a_datetime_without_a_zone_is_local_time() -> None:
    moment = datetime(2026, 11, 24, 10, 30, 0, 123456, tzinfo=UTC)
    local = datetime(2026, 11, 24, 13, 30, 0, 123456)
    assert moment_of(local) == moment_of(moment) != moment_of(local.replace(tzinfo=UTC))


def test_sessions_are_found_by_their_beginning_and_by_when_they_were_stored_in(
    own: AcontextClient,
) -> None:
    adas, graces = own.sessions.create(user="ada@example.com"), own.sessions.create(user="grace")
    own.sessions.store_message(adas.id, blob=HELLO)
    soon = datetime.now(UTC) + A_MINUTE
    assert own.sessions.list(search="ada@").items == [adas]
    assert [*own.sessions.list_all(search=graces.id)] == [graces]
    lately = own.sessions.list(stored_after=soon - 2 * A_MINUTE, stored_before=soon)
    assert lately.items == [adas]
    assert [*own.sessions.list_all(stored_after=soon)] == []
    assert [*own.sessions.list_all(stored_before=soon - 2 * A_MINUTE)] == []
    with pytest.raises(errors.InvalidRequest) as refused:
        own.sessions.list(search="a" * 1025)
    assert refused.value.field == "search"


def test_sessions_come_with_their_states(own: AcontextClient) -> None:
    quiet, busy = own.sessions.create(), own.sessions.create(user="ada")
    own.sessions.store_messages(busy.id, [HELLO, HELLO])
    first = own.sessions.list_with_states(limit=1)
    (one,) = first
    assert (one.session, one.state.session_id, one.state.messages) == (quiet, quiet.id, 0)
    second = own.sessions.list_with_states(limit=1, cursor=first.next_cursor)
    assert [(two.session, two.state.messages) for two in second] == [(busy, 2)]
    assert (first.has_more, second.has_more) == (True, False)
    newest = own.sessions.list_all_with_states(time_desc=True)
    assert [(one.session.id, one.state.messages) for one in newest] == [(busy.id, 2), (quiet.id, 0)]
    adas = own.sessions.list_with_states(search="ada", stored_before=datetime.now(UTC) + A_MINUTE)
    assert [one.session for one in adas] == [busy]


def test_a_list_without_states_looks_as_in_the_published_sdk(own: AcontextClient) -> None:
    session = own.sessions.create()
    page = own.sessions.list().model_dump()
    assert page == {"items": [session.model_dump()], "next_cursor": None, "has_more": False}


async def test_tasks_of_all_sessions_are_listed(own_async: AcontextAsyncClient) -> None:
    sessions = [await own_async.sessions.create() for _ in range(2)]
    for session in sessions:
        await own_async.sessions.store_messages(session.id, story.CI_SETUP)
        assert (await own_async.sessions.flush(session.id)).status == 200
    tasks = [task async for task in own_async.tasks.list_all()]
    assert {task.session_id for task in tasks} == {session.id for session in sessions}
    assert [task.created_at for task in tasks] == sorted(task.created_at for task in tasks)
    assert [task async for task in own_async.tasks.list_all(time_desc=True)] == tasks[::-1]
    first = await own_async.tasks.list(limit=1)
    rest = await own_async.tasks.list(cursor=first.next_cursor)
    assert [*first, *rest] == tasks

    failed = await own_async.tasks.set_outcome(tasks[0].id, status="failed")
    assert (await own_async.tasks.list(status="failed")).items == [failed]
    second = tasks[1].created_at.datetime
    assert (await own_async.tasks.list(seen_before=second)).items == [failed]
    assert (await own_async.tasks.list(seen_after=second)).items == tasks[1:]
    with pytest.raises(errors.InvalidRequest) as refused:
        await own_async.tasks.list(status="lost")
    assert refused.value.field == "status"


async def test_uses_of_skills_are_listed_over_all_spaces(own_async: AcontextAsyncClient) -> None:
    space_id, _ = await learned(own_async)
    skills = own_async.spaces.skills
    (skill,) = await skills.list(space_id)
    await skills.update(skill.id, preferences="ask first")
    session_id = (await own_async.sessions.create()).id

    async def served() -> bool:
        use_when = skill.sop.use_when
        found = await skills.search(space_id, use_when, session_id=session_id)
        return len(found.cited_blocks) > 0

    await eventually("the skill is served", served)
    uses = [use async for use in skills.list_all_uses()]
    assert [(use.kind, use.version) for use in uses[:2]] == [("learned", 1), ("improved", 2)]
    assert {(use.skill_id, use.space_id) for use in uses} == {(skill.id, space_id)}
    assert {use.title for use in uses} == {skill.sop.use_when}
    assert [(use.kind, use.session_id) for use in uses[2:]] == [("served", session_id)]
    assert uses[0].session_id is None
    assert (await skills.list_uses(kind="served")).items == uses[2:]
    assert [use async for use in skills.list_all_uses(time_desc=True)] == uses[::-1]
    improved = uses[1].used_at.datetime
    assert (await skills.list_uses(used_before=improved)).items == uses[:1]
    assert (await skills.list_uses(used_after=improved, limit=1)).items == uses[1:2]
    with pytest.raises(errors.InvalidRequest) as refused:
        await skills.list_uses(kind="forgotten")
    assert refused.value.field == "kind"


async def test_a_learning_run_is_found_by_its_id(own_async: AcontextAsyncClient) -> None:
    space_id, session_id = await learned(own_async)
    run, *_ = await own_async.runs.list_learning(space_id=space_id, session_id=session_id)
    assert await own_async.runs.get_learning(run.id) == run
    (skill,) = await own_async.spaces.skills.list(space_id)
    (version,) = (await own_async.spaces.skills.get(skill.id)).versions
    taught_by = await own_async.runs.get_learning(version.sources[0].run_id or "")
    assert (taught_by.space_id, taught_by.session_id) == (space_id, session_id)
    with pytest.raises(errors.RunNotFound):
        await own_async.runs.get_learning(NOWHERE)


def test_a_space_tells_up_to_where_it_answers(own: AcontextClient) -> None:
    space_id = own.spaces.create().id
    calibrated = own.spaces.get_search_threshold(space_id)
    assert calibrated.set_by == "embedder"
    assert 0 < calibrated.threshold < 2
    own.spaces.update_configs(space_id, configs={"learning": {"search_threshold": 0.25}})
    told = own.spaces.get_search_threshold(space_id).model_dump()
    assert told == {"threshold": 0.25, "crowding": 0, "set_by": "space"}
    with pytest.raises(errors.SpaceNotFound):
        own.spaces.get_search_threshold(NOWHERE)
