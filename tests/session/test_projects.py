"""Projects, keys and users."""

import asyncio
from uuid import UUID, uuid4

import grpc
import psycopg
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from grpc import aio

from acontext.session import v1 as pb
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.rpc import reason_of
from tests.services import ROOT_KEY, Platform
from tests.session.conversation import Conversation


def bearer(secret: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {secret}"),)


async def resolved(talk: Conversation, secret: str) -> str:
    """Ask as another service whose key it is; nothing if nobody's. This is never cached."""
    try:
        found = await talk.projects.ResolveKey(
            pb.ResolveKeyRequest(secret=secret), metadata=talk.platform.as_service(NOBODY)
        )
    except aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            return ""
        raise
    return str(found.project_id)


async def test_the_key_of_the_settings_opens_the_default_project(talk: Conversation) -> None:
    ping = await talk.projects.Ping(pb.PingRequest(), metadata=talk.metadata)
    assert (ping.code, ping.msg) == (0, "pong")
    mine = await talk.projects.GetProject(pb.GetProjectRequest(), metadata=talk.metadata)
    assert mine.project.name == "default"
    assert await resolved(talk, ROOT_KEY) == mine.project.id


async def test_another_start_makes_no_second_project(platform: Platform) -> None:
    await platform.start("session")
    await platform.stop("session")
    await platform.start("session")
    talk = Conversation(platform)
    request = pb.ListProjectsRequest()
    projects = await talk.projects.ListProjects(request, metadata=platform.operator)
    assert [project.name for project in projects.items] == ["default"]


@pytest.mark.parametrize("secret", ["sk-ac-unknown", "other-prefix", ""])
async def test_an_unknown_key_opens_nothing(talk: Conversation, secret: str) -> None:
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.Ping(pb.PingRequest(), metadata=bearer(secret))
    assert reason_of(refusal.value) == "UNAUTHENTICATED"
    assert await resolved(talk, secret) == ""


async def test_secrets_are_nowhere_in_the_database(talk: Conversation) -> None:
    made = await talk.projects.CreateApiKey(pb.CreateApiKeyRequest(), metadata=talk.metadata)
    assert made.secret.startswith(made.key.prefix)
    with psycopg.connect(talk.platform.settings.database_url) as connection:
        rows = connection.execute("SELECT * FROM session.api_key").fetchall()
    for secret in (made.secret, ROOT_KEY):
        assert secret not in repr(rows)
        assert secret.encode() not in [value for row in rows for value in row]


async def test_keys_are_made_used_and_revoked(talk: Conversation) -> None:
    made = await talk.projects.CreateApiKey(pb.CreateApiKeyRequest(), metadata=talk.metadata)
    await talk.projects.Ping(pb.PingRequest(), metadata=bearer(made.secret))
    listed = await talk.projects.ListApiKeys(pb.ListApiKeysRequest(), metadata=talk.metadata)
    assert [key.id for key in listed.items][1:] == [made.key.id]
    assert listed.items[1].HasField("last_used_at")
    revoke = pb.RevokeApiKeyRequest(key_id=made.key.id)
    await talk.projects.RevokeApiKey(revoke, metadata=talk.metadata)
    assert await resolved(talk, made.secret) == ""
    with pytest.raises(aio.AioRpcError, match="Unauthorized"):  # at once, though it was just used
        await talk.projects.Ping(pb.PingRequest(), metadata=bearer(made.secret))
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.RevokeApiKey(revoke, metadata=talk.metadata)
    assert reason_of(refusal.value) == "API_KEY_NOT_FOUND"


@pytest.mark.parametrize(("overlap", "lives"), [(0, False), (60, True)])
async def test_a_rotated_key_lives_for_its_overlap(
    talk: Conversation, overlap: int, lives: bool
) -> None:
    old = await talk.projects.CreateApiKey(pb.CreateApiKeyRequest(), metadata=talk.metadata)
    request = pb.RotateApiKeyRequest(key_id=old.key.id, overlap_seconds=overlap)
    new = await talk.projects.RotateApiKey(request, metadata=talk.metadata)
    assert await resolved(talk, new.secret)
    assert bool(await resolved(talk, old.secret)) is lives


async def test_a_project_key_acts_on_its_own_project_only(talk: Conversation) -> None:
    create = pb.CreateProjectRequest(name="other")
    other = await talk.projects.CreateProject(create, metadata=talk.platform.operator)
    request = pb.GetProjectRequest(project_id=other.project.id)
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.GetProject(request, metadata=talk.metadata)
    assert reason_of(refusal.value) == "PROJECT_NOT_FOUND"
    seen = await talk.projects.GetProject(request, metadata=talk.platform.operator)
    assert seen.project == other.project
    unknown = pb.GetProjectRequest(project_id=str(uuid4()))
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.GetProject(unknown, metadata=talk.platform.operator)
    assert reason_of(refusal.value) == "PROJECT_NOT_FOUND"
    with pytest.raises(aio.AioRpcError, match="project_id: is required"):
        await talk.projects.GetProject(pb.GetProjectRequest(), metadata=talk.platform.operator)


async def test_a_repeated_creation_makes_one_project(talk: Conversation) -> None:
    request = pb.CreateProjectRequest(name="once", request_id=str(uuid4()))
    first = await talk.projects.CreateProject(request, metadata=talk.platform.operator)
    again = await talk.projects.CreateProject(request, metadata=talk.platform.operator)
    assert first.project == again.project
    assert first.secret
    assert not again.HasField("secret")


async def test_a_project_is_renamed(talk: Conversation) -> None:
    request = pb.UpdateProjectRequest(project=pb.Project(name="mine"))
    renamed = await talk.projects.UpdateProject(request, metadata=talk.metadata)
    assert renamed.project.name == "mine"
    wrong = pb.UpdateProjectRequest(
        project=pb.Project(name="mine"), update_mask=FieldMask(paths=["id"])
    )
    with pytest.raises(aio.AioRpcError, match="update_mask: has no field id"):
        await talk.projects.UpdateProject(wrong, metadata=talk.metadata)


async def test_settings_change_by_mask_and_reach_those_who_resolve(talk: Conversation) -> None:
    first = pb.UpdateProjectSettingsRequest(
        settings=pb.ProjectSettings(buffer_turns=4, learning=False)
    )
    await talk.projects.UpdateProjectSettings(first, metadata=talk.metadata)
    second = pb.UpdateProjectSettingsRequest(
        settings=pb.ProjectSettings(minimum_difficulty=0),
        update_mask=FieldMask(paths=["minimum_difficulty", "learning"]),
    )
    changed = await talk.projects.UpdateProjectSettings(second, metadata=talk.metadata)
    assert changed.settings == pb.ProjectSettings(buffer_turns=4, minimum_difficulty=0)
    found = await talk.projects.ResolveKey(
        pb.ResolveKeyRequest(secret=ROOT_KEY), metadata=talk.platform.as_service(NOBODY)
    )
    assert found.settings == changed.settings


async def test_settings_are_read_while_the_project_is_locked(talk: Conversation) -> None:
    project = await talk.projects.GetProject(pb.GetProjectRequest(), metadata=talk.metadata)
    request = pb.GetProjectSettingsRequest(project_id=project.project.id)
    url = talk.platform.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as changing:
        await changing.execute("SELECT FROM session.project FOR UPDATE")
        found = await talk.projects.GetProjectSettings(request, metadata=talk.metadata, timeout=5)
    assert found.settings == pb.ProjectSettings()


async def test_a_user_is_made_on_first_sight_and_once(talk: Conversation) -> None:
    mine = await talk.projects.GetProject(pb.GetProjectRequest(), metadata=talk.metadata)
    service = talk.platform.as_service(ProjectId(UUID(mine.project.id)))
    find = pb.FindUserRequest(identifier="ann@x/y")
    assert not (await talk.projects.FindUser(find, metadata=service)).HasField("user")
    ensure = pb.EnsureUserRequest(identifier="ann@x/y")
    made = await asyncio.gather(
        *(talk.projects.EnsureUser(ensure, metadata=service) for _ in range(8))
    )
    assert len({answer.user.id for answer in made}) == 1
    session = await talk.create(user="ann@x/y")
    assert session.user_id == made[0].user.id
    users = await talk.projects.ListUsers(pb.ListUsersRequest(), metadata=talk.metadata)
    assert [user.identifier for user in users.items] == ["ann@x/y"]


async def test_users_are_listed_in_pages(talk: Conversation) -> None:
    for name in ("a", "b", "c"):
        await talk.create(user=name)
    first = await talk.projects.ListUsers(pb.ListUsersRequest(limit=2), metadata=talk.metadata)
    assert first.has_more
    request = pb.ListUsersRequest(limit=2, cursor=first.next_cursor)
    rest = await talk.projects.ListUsers(request, metadata=talk.metadata)
    assert [user.identifier for user in [*first.items, *rest.items]] == ["a", "b", "c"]
    assert not rest.has_more


async def test_a_user_with_a_nul_is_refused(talk: Conversation) -> None:
    with pytest.raises(aio.AioRpcError, match="user: must not have a NUL"):
        await talk.create(user="a\0b")
