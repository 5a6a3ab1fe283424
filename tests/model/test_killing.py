"""`kill -9` of space in the middle of its agents' runs: the same result as without."""

import asyncio
from functools import partial

import pytest
from grpc import aio

from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import uuid7
from tests.model.endpoint import FINISH, HANG, Endpoint, call, calls
from tests.model.killing import to_be_killed
from tests.model.test_distilling import LESSON, PLACED, PREFERRED
from tests.observer.conftest import eventually
from tests.services import Platform
from tests.space.neighbours import Neighbours
from tests.space.running import Space

pytestmark = pytest.mark.slow

LEASE_AND_MORE = 150.0
"""Seconds: a killed worker's lease lasts a minute, and nobody learns in its space before."""
BEGUN = calls(PREFERRED)


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with a model for each role and time to kill it."""
    roles = ("distiller", "librarian", "searcher")
    scripted = {
        "model_url": endpoint.url,
        "model_name": "scripted",
        "model_names": {role: role for role in roles},
        "model_retries": 0,
        "model_timeout_seconds": 120,
    }
    return settings.model_copy(update=scripted)


@pytest.fixture
def space(neighbours: Neighbours, platform: Platform, bus: Bus) -> Space:
    """Space, which the test starts itself."""
    return Space(platform, neighbours, bus)


async def asked(endpoint: Endpoint, model: str, times: int) -> bool:
    return len(endpoint.asked_of(model)) == times


@pytest.mark.parametrize("role", ["distiller", "librarian"])
async def test_a_learner_killed_in_the_middle_leaves_the_same_skill(
    settings: Settings, space: Space, endpoint: Endpoint, role: str
) -> None:
    begun = {"distiller": BEGUN, "librarian": calls(call("list_blocks"))}
    right = {"distiller": LESSON, "librarian": PLACED}
    endpoint.script(begun[role], HANG, model=role)
    endpoint.otherwise |= right
    async with to_be_killed("space", settings) as kill:
        await _serves(space)
        space_id = await space.create()
        await space.complete(space_id, space.starring_task())
        await eventually(partial(asked, endpoint, role, 2), seconds=60)
        kill()
    await space.platform.start("space")

    async def is_learned() -> bool:
        return bool(await space.list_skills(space_id))

    await eventually(is_learned, seconds=LEASE_AND_MORE)
    (skill,) = await space.list_skills(space_id)
    assert skill.sop.use_when == "star a repo on github.com"
    assert [one.tool_name for one in skill.sop.tool_sops] == ["goto", "click"]
    assert len((await space.history(skill.id)).versions) == 1
    ended = [(run.role, run.outcome) for run in await space.learned(space_id)]
    assert sorted(ended) == [("distiller", "success"), ("librarian", "success")]


async def test_a_search_killed_in_the_middle_can_be_asked_again(
    settings: Settings, space: Space, endpoint: Endpoint
) -> None:
    session_id = str(uuid7())
    space.neighbours.sessions.add(session_id)
    found = calls(call("search_titles", words="flight"))
    endpoint.script(
        found, HANG, found, calls(call("attach_blocks", blocks=[1]), FINISH), model="searcher"
    )
    async with to_be_killed("space", settings) as kill:
        await _serves(space)
        space_id = await space.create()
        page_id = await space.create_block(space_id, "page", title="travel")
        props = {"preferences": "", "tool_sops": [{"tool_name": "book", "action": "book it"}]}
        skill_id = await space.create_block(
            space_id, "sop", parent_id=page_id, title="book a flight", props=props
        )
        search = partial(space.search, space_id, "fly", mode="agentic", session_id=session_id)
        searching = asyncio.create_task(search())
        await eventually(partial(asked, endpoint, "searcher", 2), seconds=60)
        kill()
        with pytest.raises(aio.AioRpcError):
            await searching
    await space.platform.start("space")
    await _serves(space)
    assert [one.title for one in await search()] == ["book a flight"]
    request = pb.GetSkillRequest(skill_id=skill_id)
    history = await space.skills.GetSkill(request, metadata=space.key)
    assert len(history.exposures) == 1


async def _serves(space: Space) -> None:
    async with asyncio.timeout(60):
        await space.platform.channel("space").channel_ready()
