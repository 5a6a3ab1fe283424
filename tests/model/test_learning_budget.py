"""A month's token budget that is used up, as learning sees it."""

import pytest

from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.space import peers
from acontext_server.space.app import learning
from tests.model.endpoint import Endpoint
from tests.model.test_distilling import LESSON, PLACED
from tests.services import Platform
from tests.space.neighbours import Neighbours
from tests.space.running import Space, eventually


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with a model for each role."""
    scripted = {
        "model_url": endpoint.url,
        "model_name": "scripted",
        "model_names": {"librarian": "librarian"},
        "model_retries": 0,
    }
    return settings.model_copy(update=scripted)


@pytest.fixture
async def space(
    neighbours: Neighbours, platform: Platform, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Space:
    """Space; settings are asked for each time, and a pause is short."""
    monkeypatch.setattr(peers, "SETTINGS_SECONDS", 0.0)
    monkeypatch.setattr(learning, "PAUSE_SECONDS", 0.2)
    await platform.start("space")
    return Space(platform, neighbours, bus)


async def test_a_used_up_budget_pauses_learning_visibly_and_a_raised_one_goes_on(
    space: Space, endpoint: Endpoint
) -> None:
    endpoint.script(LESSON)
    endpoint.script(PLACED, model="librarian")
    use, wishes = space.neighbours.token_use, space.neighbours.settings
    wishes.monthly_token_budget = 100
    use.month, use.tokens, use.budget, use.paused = "2026-11", 110, 100, True
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    (run,) = await space.learned(space_id)
    assert (run.role, run.outcome) == ("distiller", "refused")
    assert "is used up (100)" in run.error
    assert endpoint.asked == []

    async def looks() -> int:
        return space.neighbours.asked_for_tasks

    # It looks again more often than a task that fails may be tried, and says so once.
    await eventually(looks, lambda times: times > learning.TRIES)
    assert len(await space.learned(space_id)) == 1
    assert endpoint.asked == []
    wishes.monthly_token_budget = use.budget = 1000
    use.paused = False
    (skill,) = await eventually(lambda: space.list_skills(space_id), bool)
    assert skill.sop.use_when == "star a repo on github.com"
    ended = [(one.role, one.outcome) for one in await space.learned(space_id, 3)]
    assert sorted(ended) == [
        ("distiller", "refused"),
        ("distiller", "success"),
        ("librarian", "success"),
    ]
