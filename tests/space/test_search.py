"""Searching, exposures, and an index that follows whatever happens."""

from uuid import uuid4

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as pb
from acontext_server.kit.ids import uuid7
from tests.space.neighbours import ROOT
from tests.space.running import Space, eventually, reason


async def test_an_empty_space_answers_with_nothing(space: Space) -> None:
    assert await space.search(await space.create(), "I need to implement authentication") == []


async def test_agentic_search_says_that_it_needs_a_model(space: Space) -> None:
    space_id = await space.create()

    assert await reason(space.search(space_id, "anything", mode="agentic")) == "MODEL_REQUIRED"


async def test_a_search_in_an_unknown_space_is_not_found(space: Space) -> None:
    assert await reason(space.search(str(uuid4()), "anything")) == "SPACE_NOT_FOUND"


async def test_the_threshold_is_the_callers(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.found(space_id, "star a repo on github")

    assert await space.search(space_id, "apple pie") == []
    (far,) = await space.search(space_id, "apple pie", semantic_threshold=2)
    assert far.distance > 0.62
    assert await space.search(space_id, "star a repo on github", semantic_threshold=0) == []


async def test_filters_leave_out_other_tools_and_pages(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    (found,) = await space.found(space_id, "star a repo on github")
    request = pb.GetBlockRequest(space_id=space_id, block_id=found.block_id)
    page_id = (await space.spaces.GetBlock(request, metadata=space.key)).block.parent_id

    async def count(**filters: str) -> int:
        return len(await space.search(space_id, "star a repo on github", **filters))

    assert await count(tool_name="GOTO") == 1
    assert await count(tool_name="bash") == 0
    assert await count(page_id=page_id) == 1
    assert await count(page_id=str(uuid4())) == 0


async def test_what_is_served_to_a_session_is_an_exposure_with_later_outcomes(
    space: Space,
) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.found(space_id, "star a repo on github")
    later = space.weather_task()
    later.task.updated_at.GetCurrentTime()
    later.task.updated_at.seconds += 60
    session_id = later.task.session_id

    (found,) = await space.search(space_id, "star a repo on github", session_id=session_id)
    event = observer.ObserverEvent(id=str(uuid7()), project_id=str(ROOT))
    event.tasks_changed.session_id = session_id
    event.tasks_changed.task_ids.append(later.task.id)
    await space.announce("observer", "tasks_changed", session_id, event)

    async def exposures() -> list[pb.Exposure]:
        return list((await space.history(found.block_id)).exposures)

    (seen,) = await eventually(exposures, lambda all_: bool(all_ and all_[0].succeeded))
    assert (seen.session_id, seen.skill_version, seen.rank) == (session_id, 1, 1)
    assert (seen.succeeded, seen.failed) == (1, 0)


async def test_an_unknown_session_is_not_served(space: Space) -> None:
    space_id = await space.create()

    refused = space.search(space_id, "anything", session_id=str(uuid4()))

    assert await reason(refused) == "SESSION_NOT_FOUND"


async def test_a_skill_committed_before_a_crash_is_found_after_the_restart(space: Space) -> None:
    space_id = await space.create()
    await space.platform.stop("space")
    await space.leave_intent_behind(space_id, "repair a bicycle")

    await space.platform.start("space")

    (found,) = await space.found(space_id, "how do I repair my bicycle")
    assert found.title == "repair a bicycle"


async def test_deleting_a_space_is_announced_and_removes_all_of_it(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    (found,) = await space.found(space_id, "star a repo on github")

    await space.spaces.DeleteSpace(pb.DeleteSpaceRequest(space_id=space_id), metadata=space.key)

    told = await space.announced("space_deleted")
    assert told.space_deleted.space_id == space_id
    assert await reason(space.search(space_id, "anything")) == "SPACE_NOT_FOUND"
    assert await reason(space.history(found.block_id)) == "SKILL_NOT_FOUND"
    await eventually(space.count_vectors, lambda count: count == 0)


async def test_a_deleted_user_takes_their_spaces_along(space: Space) -> None:
    request = pb.CreateSpaceRequest(user="ann@example.com")
    made = await space.spaces.CreateSpace(request, metadata=space.key)
    other = await space.create()

    event = session.SessionEvent(id=str(uuid7()), project_id=str(ROOT))
    event.user_deleted.user_id = made.space.user_id
    await space.announce("session", "deleted.user_deleted", made.space.user_id, event)

    told = await space.announced("user_forgotten")
    assert told.user_forgotten.user_id == made.space.user_id
    left = await space.spaces.ListSpaces(pb.ListSpacesRequest(), metadata=space.key)
    assert [one.id for one in left.items] == [other]


async def test_a_deleted_project_leaves_nothing_behind(space: Space) -> None:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.found(space_id, "star a repo on github")

    event = session.SessionEvent(id=str(uuid7()), project_id=str(ROOT))
    event.project_deleted.SetInParent()
    await space.announce("session", "deleted.project_deleted", str(ROOT), event)

    await space.announced("project_forgotten")
    left = await space.spaces.ListSpaces(pb.ListSpacesRequest(), metadata=space.key)
    assert list(left.items) == []
    await eventually(space.count_vectors, lambda count: count == 0)


async def test_pages_of_spaces_follow_their_cursor(space: Space) -> None:
    made = [await space.create() for _ in range(3)]
    request = pb.ListSpacesRequest(limit=2, time_desc=True)

    first = await space.spaces.ListSpaces(request, metadata=space.key)
    request.cursor = first.next_cursor
    second = await space.spaces.ListSpaces(request, metadata=space.key)

    listed = [one.id for one in (*first.items, *second.items)]
    assert listed == list(reversed(made))
    assert (first.has_more, second.has_more) == (True, False)
    assert not second.HasField("next_cursor")
