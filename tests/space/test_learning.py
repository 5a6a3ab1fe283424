"""From completed tasks to skills."""

from acontext.session import v1 as session
from acontext.space import v1 as pb
from acontext_server.kit.ids import uuid7
from acontext_server.space.embedder.local import CALIBRATED
from tests.space.neighbours import ROOT
from tests.space.running import (
    STARRING_PREFERENCE,
    STARRING_TASK,
    Space,
    answered,
    called,
    eventually,
    reason,
    said,
)


async def test_a_hard_task_teaches_a_skill_with_the_path_that_worked(space: Space) -> None:
    space_id = await space.create()

    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)

    (skill,) = await space.list_skills(space_id)
    assert [step.tool_name for step in skill.sop.tool_sops] == ["goto", "click"]
    assert "personal account" in skill.sop.preferences
    assert "star" in skill.sop.use_when


async def test_a_skill_says_where_it_comes_from(space: Space) -> None:
    space_id = await space.create()
    task = space.starring_task()

    await space.complete(space_id, task)
    (run,) = await space.learned(space_id)

    (skill,) = await space.list_skills(space_id)
    history = await space.history(skill.id)
    (version,) = history.versions
    (source,) = version.sources
    assert (version.written_by, version.change, version.version) == ("rules", "created", 1)
    assert (source.task_id, source.run_id) == (task.task.id, run.id)
    assert list(source.message_ids) == [one.message_id for one in task.messages]
    assert {one.kind: one.points for one in version.difficulty.reasons} == {
        "tool_error": 1,
        "stated_preference": 2,
    }
    assert version.difficulty.score == 3


async def test_a_task_announced_ten_times_is_learned_once(space: Space) -> None:
    space_id = await space.create()
    task = space.starring_task()

    await space.complete(space_id, task, times=10)
    await space.learned(space_id)
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id, count=2)

    assert space.neighbours.asked_for_tasks == 2
    assert len(await space.list_skills(space_id)) == 1


async def test_the_same_skill_learned_a_hundred_times_is_one_skill(space: Space) -> None:
    space_id = await space.create()

    for _ in range(100):
        await space.complete(space_id, space.starring_task())
    await space.learned(space_id, count=100)

    (skill,) = await space.list_skills(space_id)
    history = await space.history(skill.id)
    assert skill.version == 1
    assert len(history.versions[0].sources) == 100


async def test_an_easy_task_teaches_nothing(space: Space) -> None:
    space_id = await space.create()

    await space.complete(space_id, space.weather_task())
    (run,) = await space.learned(space_id)

    assert run.summary.startswith("nothing")
    assert await space.list_skills(space_id) == []


async def test_a_space_may_learn_everything(space: Space) -> None:
    space_id = await space.create(learning={"minimum_difficulty": 0})

    await space.complete(space_id, space.weather_task())
    await space.learned(space_id)

    (skill,) = await space.list_skills(space_id)
    assert [step.tool_name for step in skill.sop.tool_sops] == ["get_weather"]
    assert "Oslo" not in skill.sop.use_when


async def test_what_was_learned_is_found_and_what_is_irrelevant_is_not(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())

    (found,) = await space.found(space_id, "give a star to a github repository")
    nothing = await space.search(space_id, "what is the best recipe for apple pie")

    assert found.type == "sop"
    assert found.skill_version == 1
    assert 0 <= found.distance <= CALIBRATED.threshold
    steps = found.props.fields["tool_sops"].list_value.values
    assert [step.struct_value["order"] for step in steps] == [0, 1]
    assert nothing == []


async def test_a_newer_way_is_a_new_version_and_the_old_one_stays_readable(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)
    shorter = [
        said("user", "Please star the repo memobase on github.com. Always use my account."),
        called("github_star", "1", repo="memobase"),
        answered("1", "starred"),
    ]

    newer = space.neighbours.completed_task(
        shorter, description=STARRING_TASK, preferences=[STARRING_PREFERENCE]
    )
    await space.complete(space_id, newer)
    await space.learned(space_id, count=2)

    (skill,) = await space.list_skills(space_id)
    history = await space.history(skill.id)
    tools = [[step.tool_name for step in one.sop.tool_sops] for one in history.versions]
    assert tools == [["github_star"], ["goto", "click"]]


async def test_with_confirmation_a_skill_waits_and_is_saved_once(space: Space) -> None:
    space_id = await space.create(learning={"confirmation": True})
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)

    waiting = await space.waiting(space_id)
    assert await space.list_skills(space_id) == []
    (one,) = waiting
    request = pb.ResolveConfirmationRequest(space_id=space_id, confirmation_id=one.id, save=True)
    answer = await space.skills.ResolveConfirmation(request, metadata=space.key)
    assert answer.confirmation.id == one.id
    again = space.skills.ResolveConfirmation(request, metadata=space.key)
    assert await reason(again) == "CONFIRMATION_NOT_FOUND"
    assert len(await space.list_skills(space_id)) == 1


async def test_a_discarded_skill_is_not_learned(space: Space) -> None:
    space_id = await space.create(learning={"confirmation": True})
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)

    waiting = await space.waiting(space_id)
    request = pb.ResolveConfirmationRequest(
        space_id=space_id, confirmation_id=waiting[0].id, save=False
    )
    answer = await space.skills.ResolveConfirmation(request, metadata=space.key)

    assert not answer.HasField("confirmation")
    assert await space.list_skills(space_id) == []


async def test_what_a_person_edited_changes_by_a_proposal_only(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)
    (skill,) = await space.list_skills(space_id)
    edit = pb.UpdateBlockRequest(space_id=space_id, block_id=skill.id)
    edit.props.update(
        {"preferences": "ask first", "tool_sops": [{"tool_name": "goto", "action": "open it"}]}
    )
    await space.spaces.UpdateBlock(edit, metadata=space.key)

    await space.complete(space_id, space.starring_task())
    await space.learned(space_id, count=2)

    (skill,) = await space.list_skills(space_id)
    waiting = await space.waiting(space_id)
    assert (skill.version, skill.sop.preferences) == (2, "ask first")
    assert len(waiting) == 1


async def test_a_task_of_a_space_that_is_gone_is_answered(space: Space) -> None:
    space_id = await space.create()
    await space.spaces.DeleteSpace(pb.DeleteSpaceRequest(space_id=space_id), metadata=space.key)

    await space.complete(space_id, space.starring_task())

    told = await space.announced("task_learned")
    assert told.task_learned.outcome == "nothing"


async def test_every_dealt_with_task_is_announced(space: Space) -> None:
    space_id = await space.create()
    task = space.starring_task()

    await space.complete(space_id, task)

    told = await space.announced("task_learned")
    assert told.task_learned.task_id == task.task.id
    assert told.task_learned.outcome == "skill"


async def test_what_is_announced_as_learned_is_found_without_waiting(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.announced("task_learned")

    (found,) = await space.search(space_id, "give a star to a github repository")

    assert found.type == "sop"


async def test_what_a_person_confirmed_changes_by_a_proposal_only(space: Space) -> None:
    space_id = await space.create(learning={"confirmation": True})
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)
    (proposed,) = await space.waiting(space_id)
    data = proposed.experience_data.fields["data"].struct_value
    edited = pb.Sop(use_when=str(data["use_when"]), preferences="ask first")
    request = pb.ResolveConfirmationRequest(
        space_id=space_id, confirmation_id=proposed.id, save=True, edited=edited
    )
    await space.skills.ResolveConfirmation(request, metadata=space.key)
    plain = pb.UpdateSpaceConfigsRequest(space_id=space_id)
    plain.configs.SetInParent()
    await space.spaces.UpdateSpaceConfigs(plain, metadata=space.key)

    await space.complete(space_id, space.starring_task())
    await space.learned(space_id, count=2)

    (skill,) = await space.list_skills(space_id)
    (version,) = (await space.history(skill.id)).versions
    assert (skill.sop, version.written_by) == (edited, "person")
    assert len(await space.waiting(space_id)) == 1


async def test_a_deleted_session_leaves_skills_without_its_sources(space: Space) -> None:
    space_id = await space.create()
    task = space.starring_task()
    await space.complete(space_id, task)
    await space.learned(space_id)
    event = session.SessionEvent(id=str(uuid7()), project_id=str(ROOT))
    event.session_deleted.session_id = task.task.session_id

    await space.announce("session", "deleted.session_deleted", task.task.session_id, event)

    (skill,) = await space.list_skills(space_id)

    async def sources() -> int:
        return len((await space.history(skill.id)).versions[0].sources)

    assert await eventually(sources, lambda count: count == 0) == 0
