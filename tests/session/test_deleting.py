"""Users and projects end here and everywhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import nats
import psycopg
import pytest
from grpc import StatusCode, aio

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as pb
from acontext.space import v1 as space
from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.rpc import reason_of
from tests.services import Platform
from tests.session.conversation import Conversation
from tests.session.waiting import eventually

ENVELOPES = {
    "disk": disk.DiskEvent,
    "observer": observer.ObserverEvent,
    "space": space.SpaceEvent,
}


@asynccontextmanager
async def others(talk: Conversation, *silent: str) -> AsyncIterator[None]:
    """Stand in for the other services: they forget whatever is deleted, but for the silent ones."""
    settings = talk.platform.settings
    async with (
        open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus,
        asyncio.TaskGroup() as group,
    ):
        tasks = [
            group.create_task(_forget(bus, service, settings.nats_prefix))
            for service in ENVELOPES
            if service not in silent
        ]
        yield
        for task in tasks:
            task.cancel()


async def _forget(bus: Bus, service: str, prefix: str) -> None:
    await bus.ensure_stream(service)

    async def handle(payload: bytes) -> None:
        deleted = pb.SessionEvent.FromString(payload)
        event = ENVELOPES[service](id=str(uuid4()), project_id=deleted.project_id)
        kind = "project_forgotten"
        if deleted.HasField("user_deleted"):
            kind = "user_forgotten"
            event.user_forgotten.user_id = deleted.user_deleted.user_id
        else:
            event.project_forgotten.SetInParent()
        subject = f"{prefix}.{service}.v1.{kind}.{deleted.project_id}.x"
        await bus.publish(subject, event.SerializeToString(), message_id=event.id)

    events = ["deleted.user_deleted", "deleted.project_deleted"]
    await bus.listen("session", f"test_{service}", events, handle)


async def test_a_deleted_user_is_gone_with_its_sessions(talk: Conversation) -> None:
    gone, stays = await talk.create(user="ann"), await talk.create(user="bob")
    await talk.say(gone.id, "hi")
    async with others(talk):
        request = pb.DeleteUserRequest(identifier="ann")
        await talk.projects.DeleteUser(request, metadata=talk.metadata)
    listed = await talk.sessions.ListSessions(pb.ListSessionsRequest(), metadata=talk.metadata)
    assert [session.id for session in listed.items] == [stays.id]
    users = await talk.projects.ListUsers(pb.ListUsersRequest(), metadata=talk.metadata)
    assert [user.identifier for user in users.items] == ["bob"]
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.DeleteUser(request, metadata=talk.metadata)
    assert reason_of(refusal.value) == "USER_NOT_FOUND"
    again = await talk.create(user="ann")
    assert again.user_id != gone.user_id


async def test_a_deleted_project_is_closed_and_gone(talk: Conversation) -> None:
    create = pb.CreateProjectRequest(name="short-lived")
    made = await talk.projects.CreateProject(create, metadata=talk.platform.operator)
    owner = Conversation(talk.platform, (("authorization", f"Bearer {made.secret}"),))
    session = await owner.create(user="ann")
    await owner.say(session.id, "long " * 30_000)
    kept = await talk.create()
    request = pb.DeleteProjectRequest(project_id=made.project.id)
    async with others(talk):
        answer = await talk.projects.DeleteProject(request, metadata=talk.platform.operator)
    assert list(answer.receipt.confirmed_by) == ["disk", "observer", "space"]
    with pytest.raises(aio.AioRpcError, match="Unauthorized"):
        await owner.create()
    with psycopg.connect(talk.platform.settings.database_url) as connection:
        tables = ["project", "api_key", "user", "session", "log", "message", "blob", "blob_use"]
        for table in [*tables, "deletion"]:
            query = f'SELECT count(*) FROM session."{table}" WHERE project_id = %s'
            found = connection.execute(query.encode(), (made.project.id,)).fetchone()
            assert found == (0,), table
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.DeleteProject(request, metadata=talk.platform.operator)
    assert reason_of(refusal.value) == "PROJECT_NOT_FOUND"
    assert (await talk.page(kept.id))["items"] == []


async def test_a_deletion_that_waits_for_one_service_goes_on(talk: Conversation) -> None:
    create = pb.CreateProjectRequest(name="slow")
    made = await talk.projects.CreateProject(create, metadata=talk.platform.operator)
    request = pb.DeleteProjectRequest(project_id=made.project.id)
    with psycopg.connect(talk.platform.settings.database_url, autocommit=True) as connection:

        async def waiting() -> list[str]:
            query = "SELECT service FROM session.deletion WHERE project_id = %s"
            rows = connection.execute(query, (UUID(made.project.id),)).fetchall()
            return [row[0] for row in rows]

        async with others(talk, "space"):
            deleting = asyncio.ensure_future(
                talk.projects.DeleteProject(request, metadata=talk.platform.operator)
            )
            await eventually(waiting, ["space"])
        deleting.cancel()
        resolve = pb.ResolveKeyRequest(secret=made.secret)
        service = talk.as_service(made.project.id)
        with pytest.raises(aio.AioRpcError):
            await talk.projects.ResolveKey(resolve, metadata=service.metadata)
        async with others(talk):
            await talk.projects.DeleteProject(request, metadata=talk.platform.operator)
        assert await waiting() == []


async def test_a_user_s_deletion_that_goes_on_is_waited_for_again(platform: Platform) -> None:
    platform.settings.deletion_seconds = 0.3
    await platform.start("session")
    talk = Conversation(platform)
    await talk.create(user="ann")
    request = pb.DeleteUserRequest(identifier="ann")

    async def refusal() -> tuple[StatusCode, str | None, str | None] | None:
        try:
            await talk.projects.DeleteUser(request, metadata=talk.metadata)
        except aio.AioRpcError as error:
            return error.code(), reason_of(error), error.details()
        return None

    goes_on = "the deletion goes on: space still to confirm"
    async with others(talk, "space"):
        await eventually(refusal, (StatusCode.UNAVAILABLE, "DELETION_IN_PROGRESS", goes_on))
    async with others(talk):
        await eventually(refusal, None)
    again = await refusal()
    assert again
    assert again[1] == "USER_NOT_FOUND"


async def test_the_stream_forgets_a_deleted_session(talk: Conversation) -> None:
    session, kept = await talk.create(), await talk.create()
    for one in (session, kept):
        await talk.say(one.id, "hi")
    client = await nats.connect(talk.platform.settings.nats_url)

    async def held() -> set[tuple[str, str]]:
        name = f"{talk.platform.settings.nats_prefix}_session"
        info = await client.jetstream().stream_info(name, subjects_filter=">")
        subjects = [subject.split(".") for subject in info.state.subjects or {}]
        return {(one[-3], one[-1]) for one in subjects}

    stored = {("message_stored", session.id), ("message_stored", kept.id)}
    await eventually(held, stored)
    request = pb.DeleteSessionRequest(session_id=session.id)
    await talk.sessions.DeleteSession(request, metadata=talk.metadata)
    await eventually(held, {("session_deleted", session.id), ("message_stored", kept.id)})
    await client.close()


async def test_only_the_operator_deletes_projects(talk: Conversation) -> None:
    mine = await talk.projects.GetProject(pb.GetProjectRequest(), metadata=talk.metadata)
    request = pb.DeleteProjectRequest(project_id=mine.project.id)
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.DeleteProject(request, metadata=talk.metadata)
    assert reason_of(refusal.value) == "PERMISSION_DENIED"


async def test_what_a_user_has_is_counted(talk: Conversation) -> None:
    request = pb.GetUserResourcesRequest(identifier="ann")
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.projects.GetUserResources(request, metadata=talk.metadata)
    assert reason_of(refusal.value) == "USER_NOT_FOUND"
    await talk.platform.start("disk", "space")
    await talk.create(user="ann")
    await talk.create(user="ann")
    found = await talk.projects.GetUserResources(request, metadata=talk.metadata)
    assert (found.counts.sessions_count, found.counts.disks_count) == (2, 0)
    assert found.counts.spaces_count == 0
