"""What a person does with skills, and with the index of them."""

import time
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import update

from acontext.space import v1 as pb
from acontext_server.kit.database import open_database
from acontext_server.space.domain.errors import EmbeddingSpaceMismatch
from acontext_server.space.reindex import reindex
from acontext_server.space.store.tables import EmbeddingSpaceRow
from tests.services import Platform
from tests.space.running import Space, reason


async def learned(space: Space) -> tuple[str, pb.Skill]:
    space_id = await space.create()
    await space.complete(space_id, space.starring_task())
    await space.learned(space_id)
    (skill,) = await space.list_skills(space_id)
    return space_id, skill


async def test_an_edit_is_a_version_and_a_rollback_another(space: Space) -> None:
    _, skill = await learned(space)

    edit = pb.UpdateSkillRequest(skill_id=skill.id, sop=pb.Sop(preferences="ask first"))
    edited = (await space.skills.UpdateSkill(edit, metadata=space.key)).skill
    back = pb.RollbackSkillRequest(skill_id=skill.id, version=1)
    restored = (await space.skills.RollbackSkill(back, metadata=space.key)).skill

    assert (edited.version, edited.sop.preferences) == (2, "ask first")
    assert edited.sop.tool_sops == skill.sop.tool_sops
    assert (restored.version, restored.sop) == (3, skill.sop)
    changes = [one.change for one in (await space.history(skill.id)).versions]
    assert changes == ["rolled_back", "edited", "created"]


async def test_what_cannot_be_edited_is_refused(space: Space) -> None:
    _, skill = await learned(space)

    mask = pb.UpdateSkillRequest(skill_id=skill.id, sop=pb.Sop(use_when="now"))
    mask.update_mask.paths.append("version")
    empty = pb.UpdateSkillRequest(skill_id=skill.id, sop=pb.Sop())
    empty.update_mask.paths.extend(["preferences", "tool_sops"])
    unknown = pb.RollbackSkillRequest(skill_id=skill.id, version=7)

    assert await reason(space.skills.UpdateSkill(mask, metadata=space.key)) == "INVALID_REQUEST"
    assert await reason(space.skills.UpdateSkill(empty, metadata=space.key)) == "INVALID_BLOCK"
    refused = space.skills.RollbackSkill(unknown, metadata=space.key)
    assert await reason(refused) == "INVALID_REQUEST"


async def test_an_archived_skill_is_in_no_search_until_it_is_put_back(space: Space) -> None:
    space_id, skill = await learned(space)
    await space.found(space_id, "star a repo on github")

    away = pb.ArchiveSkillRequest(skill_id=skill.id)
    await space.skills.ArchiveSkill(away, metadata=space.key)
    assert await space.search(space_id, "star a repo on github") == []
    assert await space.list_skills(space_id) == []

    back = pb.ArchiveSkillRequest(skill_id=skill.id, archived=False)
    await space.skills.ArchiveSkill(back, metadata=space.key)
    assert await space.found(space_id, "star a repo on github")


async def test_a_space_is_exported_as_one_file_per_skill(space: Space) -> None:
    space_id, skill = await learned(space)

    request = pb.ExportSpaceRequest(space_id=space_id)
    files = [one async for one in space.spaces.ExportSpace(request, metadata=space.key)]

    (file,) = files
    assert file.path.startswith(f"{skill.page_title}/")
    assert file.path.endswith("/SKILL.md")
    assert f"Use when: {skill.sop.use_when}" in file.text
    assert "1. `goto`: " in file.text


async def test_another_embedder_is_refused_until_everything_is_embedded_anew(
    space: Space,
) -> None:
    space_id, _ = await learned(space)
    await space.found(space_id, "star a repo on github")
    settings = space.platform.settings
    await space.platform.stop("space")
    url = settings.database_url
    async with open_database(url, pool=1) as database, database.transaction() as tx:
        await tx.execute(update(EmbeddingSpaceRow).values(name="other@1/3"))

    with pytest.raises(EmbeddingSpaceMismatch, match="other@1/3"):
        await space.platform.start("space")
    assert await reindex(settings) == 1

    await space.platform.start("space")
    assert await space.found(space_id, "star a repo on github")


async def test_only_the_operator_reindexes(space: Space) -> None:
    space_id, _ = await learned(space)
    await space.found(space_id, "star a repo on github")
    request = pb.ReindexSkillsRequest()

    refused = space.skills.ReindexSkills(request, metadata=space.key)
    answer = await space.skills.ReindexSkills(request, metadata=Platform.operator)

    assert await reason(refused) == "PERMISSION_DENIED"
    assert answer.count == 1
    assert answer.embedding_space.startswith("all-MiniLM-L6-v2-int8@")


async def test_statistics_count_what_was_learned_improved_and_served(space: Space) -> None:
    space_id, skill = await learned(space)
    edit = pb.UpdateSkillRequest(skill_id=skill.id, sop=pb.Sop(preferences="ask first"))
    await space.skills.UpdateSkill(edit, metadata=space.key)
    await space.found(space_id, "star a repo on github")
    request = pb.GetSkillStatisticsRequest(days=2, time_zone="Pacific/Auckland")

    counted = await space.skills.GetSkillStatistics(request, metadata=space.key)

    assert (counted.spaces, counted.skills, counted.archived, counted.confirmations) == (1, 1, 0, 0)
    yesterday, today = counted.days
    assert (yesterday.learned, yesterday.improved, yesterday.served) == (0, 0, 0)
    assert (today.learned, today.improved) == (1, 1)
    nowhere = pb.GetSkillStatisticsRequest(time_zone="Atlantis/Centre")
    refused = space.skills.GetSkillStatistics(nowhere, metadata=space.key)
    assert await reason(refused) == "INVALID_REQUEST"


async def test_uses_of_skills_are_listed_by_time(space: Space) -> None:
    space_id, skill = await learned(space)
    edit = pb.UpdateSkillRequest(skill_id=skill.id, sop=pb.Sop(preferences="ask first"))
    await space.skills.UpdateSkill(edit, metadata=space.key)

    async def uses(**fields: Any) -> list[tuple[str, str, int]]:
        request = pb.ListSkillUsesRequest(**fields)
        page = await space.skills.ListSkillUses(request, metadata=space.key)
        assert {one.space_id for one in page.items} <= {space_id}
        return [(one.kind, one.skill_id, one.version) for one in page.items]

    learning, improving = ("learned", skill.id, 1), ("improved", skill.id, 2)
    assert await uses() == [learning, improving]
    assert await uses(time_desc=True, limit=1) == [improving]
    assert await uses(kind="learned") == [learning]
    assert await uses(kind="served") == []
    soon = Timestamp(seconds=int(time.time()) + 60)
    assert await uses(used_after=soon) == []
    assert await uses(used_before=soon) == [learning, improving]


async def test_a_run_is_found_by_its_id(space: Space) -> None:
    space_id, _ = await learned(space)
    (run,) = await space.learned(space_id)

    found = pb.GetLearningRunRequest(run_id=run.id)
    assert (await space.skills.GetLearningRun(found, metadata=space.key)).run == run
    unknown = space.skills.GetLearningRun(
        pb.GetLearningRunRequest(run_id=space_id), metadata=space.key
    )
    assert await reason(unknown) == "RUN_NOT_FOUND"


async def test_a_search_tells_its_threshold_and_who_set_it(space: Space) -> None:
    space_id, _ = await learned(space)
    request = pb.GetSearchThresholdRequest(space_id=space_id)

    calibrated = await space.skills.GetSearchThreshold(request, metadata=space.key)
    assert (calibrated.set_by, calibrated.threshold > 0) == ("embedder", True)
    configs = ParseDict({"learning": {"search_threshold": 0.25}}, Struct())
    update = pb.UpdateSpaceConfigsRequest(space_id=space_id, configs=configs)
    await space.spaces.UpdateSpaceConfigs(update, metadata=space.key)
    own = await space.skills.GetSearchThreshold(request, metadata=space.key)
    assert (own.set_by, own.threshold, own.crowding) == ("space", 0.25, 0)
