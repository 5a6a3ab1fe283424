"""What a project asks of its models, and what holds for those that ask nothing: it reaches them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from acontext.observer import v1 as observer_pb
from acontext.space import v1 as pb
from acontext_server.kit.config import Settings
from tests.model.endpoint import FINISH, Endpoint, call, calls
from tests.model.test_budget import ask
from tests.model.test_distilling import PLACED, hard, submit
from tests.observer.conftest import Observer, eventually
from tests.services import Platform

ROLES = {role: f"{role}-model" for role in ("observer", "distiller", "librarian", "searcher")}
ROUNDS = 2
RULES = [
    {"text": "touches money", "weight": "normal"},
    {"text": "is done on github", "weight": "critical"},
]
CRITERIA = {"success_criteria": "A star is shown.", "failure_criteria": "It took two weeks."}


def called(name: str, number: int, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    tool_calls = [{"id": f"c{number}", "type": "function", "function": function}]
    return {"role": "assistant", "content": "", "tool_calls": tool_calls}


STARRING = [
    {"role": "user", "content": "Please star the repo acme/rocket on github.com."},
    called("goto", 1, url="https://github.com/acme/rocket"),
    {"role": "tool", "tool_call_id": "c1", "content": "opened"},
    called("click", 2, selector="#star"),
    {"role": "tool", "tool_call_id": "c2", "content": "starred"},
    {"role": "assistant", "content": "It is starred."},
    {"role": "user", "content": "Thanks!"},
]
OBSERVED = calls(
    call("insert_task", task=1, description="Star a repo on github.com"),
    call("append_messages_to_task", task=1, messages=list(range(1, 8))),
    call("update_task", task=1, status="success"),
    FINISH,
)
LESSON = calls(hard(reason="project_rule", messages=[1], rule=2), submit(), FINISH)
WRONG = calls(call("nothing_more"), FINISH)


@pytest.fixture(params=["the API", "config.yaml"])
def source(request: pytest.FixtureRequest) -> str:
    """Where it is set."""
    return str(request.param)


@pytest.fixture
def settings(
    settings: Settings,
    endpoint: Endpoint,
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """The settings of any test, with what stands in the file, if it is that."""
    chosen: dict[str, Any] = {"model_url": endpoint.url, "model_retries": 0, "model_name": "none"}
    if source == "config.yaml":
        file = {"model_names": ROLES, "model_rounds": ROUNDS, "difficulty_rules": RULES, **CRITERIA}
        (tmp_path / "config.yaml").write_text(json.dumps(file))
        monkeypatch.chdir(tmp_path)
        configured = Settings()
        chosen |= {name: getattr(configured, name) for name in file}
    return settings.model_copy(update=chosen)


@pytest.fixture
async def observer(platform: Platform, source: str) -> Observer:
    """All that observes, learns and searches, set as it is meant to be."""
    await platform.start("session", "observer", "space")
    observer = Observer(platform)
    if source == "the API":
        await ask(observer, models=ROLES, rounds=ROUNDS, difficulty_rules=RULES, **CRITERIA)
    return observer


async def test_models_rounds_rules_and_criteria_reach_every_role(
    observer: Observer, endpoint: Endpoint
) -> None:
    for role, right in {"observer": OBSERVED, "distiller": LESSON, "librarian": PLACED}.items():
        endpoint.script(*[WRONG] * ROUNDS, right, model=ROLES[role])
    endpoint.script(calls(FINISH), model=ROLES["searcher"])
    platform = observer.platform
    spaces = pb.SpaceServiceStub(platform.channel("space"))
    skills = pb.SkillServiceStub(platform.channel("space"))
    space_id = (await spaces.CreateSpace(pb.CreateSpaceRequest(), metadata=platform.key)).space.id
    session_id = await observer.new_session(space_id=space_id)
    await observer.store(session_id, STARRING)
    assert (await observer.flush(session_id)).status == 200
    await eventually(partial(_has_skill, skills, platform, space_id), seconds=30)
    looking = pb.SearchSkillsRequest(space_id=space_id, query="star", mode="agentic")
    await skills.SearchSkills(looking, metadata=platform.key)

    assert {one["model"] for one in endpoint.asked} == set(ROLES.values())
    told = endpoint.asked_of(ROLES["observer"])[0]["messages"][1]["content"]
    assert "## When a task is success in this project\n| A star is shown." in told
    assert "## When a task is failed in this project\n| It took two weeks." in told
    told = endpoint.asked_of(ROLES["distiller"])[0]["messages"][1]["content"]
    assert '1. "touches money"\n2. "is done on github"' in told
    listed = pb.ListLearningRunsRequest(space_id=space_id)
    learned = (await skills.ListLearningRuns(listed, metadata=platform.key)).items
    observed = await observer.runs.ListRuns(observer_pb.ListRunsRequest(), metadata=platform.key)
    runs = [*observed.items, *learned]
    failed = {one.role: one.error for one in runs if one.outcome == "failed"}
    assert set(failed) == {"observer", "distiller", "librarian"}
    assert all(f"did not finish within {ROUNDS} rounds" in why for why in failed.values())
    assert {one.role: one.engine for one in runs} == ROLES
    assert any("score 3 (critical_project_rule)" in one.summary for one in runs)


async def _has_skill(skills: Any, platform: Platform, space_id: str) -> bool:
    request = pb.ListSkillsRequest(space_id=space_id)
    return bool((await skills.ListSkills(request, metadata=platform.key)).items)
