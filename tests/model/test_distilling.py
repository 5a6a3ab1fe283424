"""Distilling by a model, through the real service and over real HTTP, against a script."""

import json
from functools import partial
from typing import Any

import pytest

from acontext.health import v1 as health_pb
from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import uuid7
from acontext_server.space.app import learning
from tests.model.endpoint import (
    FINISH,
    HANG,
    RESET,
    TRUNCATED,
    Endpoint,
    Reply,
    call,
    calls,
    error,
    says,
)
from tests.services import Platform
from tests.space.neighbours import ROOT, Neighbours
from tests.space.running import STARRING, Space, called, eventually, said

hard = partial(call, "report_difficulty")
GOTO = {"tool_name": "goto", "action": "open the repo page that the user named"}
CLICK = {"tool_name": "click", "action": "click #star"}


def submit(**chosen: Any) -> tuple[str, str]:
    sop: dict[str, Any] = {
        "use_when": "star a repo on github.com",
        "preferences": ["use the personal account"],
        "tool_sops": [GOTO, CLICK],
    }
    return call("submit_sop", **(sop | chosen))


PREFERRED = hard(reason="stated_preference", messages=[1])
ERROR = hard(reason="tool_error", messages=[4])
LESSON = calls(PREFERRED, ERROR, submit(), FINISH)
PLACED = calls(
    call("create_block", type="page", path="github_repositories"),
    call("insert_skill", page="github_repositories"),
    FINISH,
)


@pytest.fixture
def settings(settings: Settings, endpoint: Endpoint) -> Settings:
    """The settings of any test, with the scripted model."""
    scripted = {
        "model_url": endpoint.url,
        "model_name": "scripted",
        "model_names": {"librarian": "librarian"},
        "model_retries": 0,
        "model_timeout_seconds": 0.5,
    }
    return settings.model_copy(update=scripted)


@pytest.fixture
async def space(
    neighbours: Neighbours,
    platform: Platform,
    bus: Bus,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> Space:
    """Space, with what failed tried again at once, and a librarian that makes a page."""
    endpoint.otherwise["librarian"] = PLACED
    monkeypatch.setattr(learning, "LONGEST_WAIT_SECONDS", 0.01)
    await platform.start("space")
    return Space(platform, neighbours, bus)


async def learn(space: Space, runs: int = 1) -> tuple[str, Any]:
    """Let the space learn the task of starring a repo, and give the last run of the distiller."""
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    found = await space.learned(space_id, runs)
    return space_id, [run for run in found if run.role == "distiller"][-1]


async def test_a_hard_task_becomes_a_skill_that_tells_where_it_comes_from(
    space: Space, endpoint: Endpoint
) -> None:
    endpoint.script(LESSON)
    space_id, run = await learn(space)
    (skill,) = await space.list_skills(space_id)
    assert skill.sop.use_when == "star a repo on github.com"
    assert skill.sop.preferences == "use the personal account"
    assert [(one.tool_name, one.action) for one in skill.sop.tool_sops] == [
        ("goto", GOTO["action"]),
        ("click", "click #star"),
    ]
    (version,) = (await space.history(skill.id)).versions
    assert version.written_by == "scripted"
    assert (run.role, run.engine, run.outcome) == ("distiller", "scripted", "success")
    assert (run.rounds, run.tool_calls, run.input_tokens, run.output_tokens) == (1, 4, 100, 10)
    assert run.instruction_version.startswith("distiller-3+")
    assert "score 3" in run.summary


async def test_an_easy_task_leaves_its_lasting_preferences_only(
    space: Space, endpoint: Endpoint
) -> None:
    endpoint.script(calls(ERROR, submit(), FINISH))
    space_id, run = await learn(space)
    (skill,) = await space.list_skills(space_id)
    assert skill.sop.preferences == "use the personal account"
    assert list(skill.sop.tool_sops) == []
    assert run.summary.startswith("preferences")


async def test_nothing_is_kept_of_an_easy_task_without_preferences(
    space: Space, endpoint: Endpoint
) -> None:
    endpoint.script(calls(submit(preferences=[]), FINISH))
    space_id, run = await learn(space)
    assert list(await space.list_skills(space_id)) == []
    assert run.summary.startswith("nothing")


REFUSED = {
    "invented tool": (
        [PREFERRED, submit(tool_sops=[{"tool_name": "fly", "action": "fly there"}])],
        "'fly' was never called; called were: click, goto",
    ),
    "unshown error": ([hard(reason="tool_error", messages=[1])], "a tool call that failed"),
    "unsaid wish": ([hard(reason="stated_preference", messages=[2])], "what the user said"),
    "unknown message": ([hard(reason="wrong_strategy", messages=[99])], "no message 99"),
    "no such rule": ([hard(reason="project_rule", messages=[1], rule=1)], "there are 0"),
    "nothing submitted": ([PREFERRED], "submit the SOP first"),
    "personal": ([submit(use_when="star what ann@example.com likes")], "gives away"),
    "secret": ([submit(preferences=["use the key sk-1234567890abcdef"])], "gives away"),
}


@pytest.mark.parametrize(("wrong", "why"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_no_skill_may_say_is_refused_with_the_reason(
    space: Space, endpoint: Endpoint, wrong: list[tuple[str, str]], why: str
) -> None:
    endpoint.script(calls(*wrong, FINISH), LESSON)
    space_id, run = await learn(space)
    told = [
        one["content"]
        for one in endpoint.asked_of("scripted")[1]["messages"]
        if one["role"] == "tool"
    ]
    assert any(why in text for text in told)
    assert len(await space.list_skills(space_id)) == 1
    assert "refused:" in run.summary


async def test_what_a_model_insists_on_is_taken_out(space: Space, endpoint: Endpoint) -> None:
    leaking = submit(preferences=["mail the result to ann@example.com"])
    endpoint.script(*[calls(PREFERRED, leaking, FINISH)] * 3)
    space_id, _ = await learn(space)
    (skill,) = await space.list_skills(space_id)
    assert skill.sop.preferences == "mail the result"


FAULTS: dict[str, Reply] = {
    "429": error(429, retry_after="0.01"),
    "500": error(500),
    "reset": RESET,
    "time-out": HANG,
    "truncated": TRUNCATED,
    "endless": calls(hard(reason="wrong_strategy", messages=[99])),
    "empty": says(""),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_that_comes_twice_loses_and_doubles_nothing(
    space: Space, endpoint: Endpoint, fault: Reply
) -> None:
    endpoint.script(fault, fault, LESSON)
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    (skill,) = await eventually(lambda: space.list_skills(space_id), bool)
    assert len((await space.history(skill.id)).versions) == 1
    runs = [run for run in await space.learned(space_id) if run.role == "distiller"]
    assert runs[-1].outcome == "success"
    assert all(run.error for run in runs[:-1])


async def test_what_never_gets_right_is_told_and_learned_when_it_is_asked_for_again(
    space: Space, endpoint: Endpoint
) -> None:
    endpoint.otherwise["scripted"] = error(500, "the model is on fire")
    space_id, other_id = await space.create(), await space.create()
    task = space.starring_task()
    await space.complete(space_id, task)
    assert (await space.announced("task_learned")).task_learned.outcome == "failed"
    runs = await space.learned(space_id)
    assert len(runs) == learning.TRIES
    assert all((run.outcome, "on fire" in run.error) == ("failed", True) for run in runs)
    (notice,) = await notices(space)
    assert notice.startswith(f"space: 1 tasks of project {ROOT} could not be learned by space")
    assert await again(space, other_id) == 0
    assert await again(space, space_id, session_id=str(uuid7())) == 0
    endpoint.script(LESSON)
    assert await again(space, space_id, session_id=task.task.session_id) == 1
    (skill,) = await eventually(lambda: space.list_skills(space_id), bool)
    assert skill.sop.use_when == "star a repo on github.com"
    assert await again(space, space_id) == 0
    assert await notices(space) == []


async def again(space: Space, space_id: str, **fields: str) -> int:
    """Ask for what failed to be tried again."""
    request = pb.RetryFailedLearningRequest(space_id=space_id, **fields)
    return (await space.skills.RetryFailedLearning(request, metadata=space.key)).count


async def notices(space: Space) -> list[str]:
    """What the operator is told of that rests."""
    health = health_pb.HealthServiceStub(space.platform.channel("space"))
    asked = health.GetHealth(health_pb.GetHealthRequest(), metadata=space.platform.operator)
    return list((await asked).health.notices)


MISTAKES = {
    "unknown tool": (calls(call("erase_everything"), FINISH), "no tool 'erase_everything'"),
    "wrong types": (
        calls(hard(reason="tool_error", messages="all"), FINISH),
        "messages: Input should be a valid list",
    ),
    "in content": (
        says(
            '```json\n{"name": "report_difficulty",'
            ' "arguments": {"reason": "tool_error", "messages": [1]}}\n```'
        ),
        "a tool call that failed",
    ),
}


@pytest.mark.parametrize(("wrong", "why"), MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_that_comes_twice_is_told_twice_and_corrected_in_the_same_run(
    space: Space, endpoint: Endpoint, wrong: Reply, why: str
) -> None:
    endpoint.script(wrong, wrong, LESSON)
    space_id, run = await learn(space)
    told = [one["content"] for one in endpoint.asked_of("scripted")[2]["messages"][2:]]
    assert sum(why in text for text in told if text) == 2
    assert (run.outcome, run.rounds, run.summary.count("refused:")) == ("success", 3, 2)
    (skill,) = await space.list_skills(space_id)
    assert len((await space.history(skill.id)).versions) == 1


async def test_a_projects_critical_rule_alone_makes_a_task_hard(
    space: Space, endpoint: Endpoint
) -> None:
    space.neighbours.settings.difficulty_rules.add(text="touches money", weight="normal")
    space.neighbours.settings.difficulty_rules.add(text="is done on github", weight="critical")
    endpoint.script(
        calls(hard(reason="project_rule", messages=[1], rule=2), submit(preferences=[]), FINISH)
    )
    _, run = await learn(space)
    assert '2. "is done on github"' in endpoint.asked[0]["messages"][1]["content"]
    assert "score 3 (critical_project_rule)" in run.summary


async def test_what_a_space_served_is_not_shown_to_the_model(
    space: Space, endpoint: Endpoint
) -> None:
    served = json.dumps({"cited_blocks": [{"use_when": "star a repo", "tool_sops": []}]})
    told = [*STARRING[:1], called("search_skills", "9", query="star"), said("user", served)]
    task = space.neighbours.completed_task(
        [*told, *STARRING[1:]], description="star the repo memobase on github.com"
    )
    endpoint.script(LESSON)
    space_id = await space.create()
    await space.complete(space_id, task)
    await eventually(lambda: _asked(endpoint), bool)
    assert "cited_blocks" not in json.dumps(endpoint.asked[0])


async def _asked(endpoint: Endpoint) -> int:
    return len(endpoint.asked)
