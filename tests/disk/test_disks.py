"""Disks, whose they are, and how they go."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import nats
import pytest

from acontext.disk import v1 as pb
from acontext.session import v1 as session
from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import ProjectId
from tests.disk.client import DiskClient, kept, refusal
from tests.services import Platform
from tests.session.waiting import eventually


@pytest.fixture
async def keyed(platform: Platform) -> DiskClient:
    """Disk and session, called with the default project's key."""
    await platform.start("session", "disk")
    client = DiskClient(platform, ProjectId(uuid4()))
    client.metadata = platform.key
    answer = await client.call("CreateDisk", pb.CreateDiskRequest(user="who made it"))
    client.project_id = ProjectId(UUID(answer.disk.project_id))
    await client.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=answer.disk.id))
    return client


async def subjects(settings: Settings) -> set[str]:
    """Name the events that disk's stream still holds, without prefix and project."""
    client = await nats.connect(settings.nats_url)
    try:
        info = await client.jetstream().stream_info(
            f"{settings.nats_prefix}_disk", subjects_filter=f"{settings.nats_prefix}.disk.v1.>"
        )
    finally:
        await client.close()
    return {subject.split(".v1.")[1] for subject in info.state.subjects or {}}


async def announced(bus: Bus, project_id: ProjectId, entity: UUID, event: Any) -> None:
    """Announce a deletion as session does."""
    name = f"deleted.{event.WhichOneof('event')}"
    event.project_id = str(project_id)
    subject = bus.subject("session", name, project_id, entity)
    await bus.ensure_stream("session")
    await bus.publish(subject, event.SerializeToString(), message_id=str(uuid4()))


async def test_a_disk_goes_with_its_artifacts_and_their_bytes(
    disk: DiskClient, tmp_path: Path
) -> None:
    gone, stays = await disk.new_disk(), await disk.new_disk()
    for number in range(3):
        await disk.upload(gone, f"/{number}", b"%d" % number)
    await disk.upload(stays, "/shared", b"1")
    await disk.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=gone))
    assert len(kept(tmp_path)) == 1
    assert (await refusal(disk.get(gone, "/1")))[1] == "DISK_NOT_FOUND"
    again = disk.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=gone))
    assert (await refusal(again))[:2] == ("NOT_FOUND", "DISK_NOT_FOUND")
    assert (await disk.get(stays, "/shared", with_content=False)).artifact.filename == "shared"


async def test_another_project_neither_sees_nor_removes_a_disk(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    stranger = DiskClient(disk.platform, ProjectId(uuid4()))
    assert not (await stranger.call("ListDisks", pb.ListDisksRequest())).items
    call = stranger.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=disk_id))
    assert (await refusal(call))[:2] == ("NOT_FOUND", "DISK_NOT_FOUND")
    assert (await disk.call("ListDisks", pb.ListDisksRequest())).items[0].id == disk_id


async def test_pages_hold_every_disk_once_in_either_order(disk: DiskClient) -> None:
    made = [await disk.new_disk() for _ in range(5)]
    for descending in (False, True):
        found, cursor = [], ""
        while True:
            request = pb.ListDisksRequest(limit=2, cursor=cursor, time_desc=descending)
            page = await disk.call("ListDisks", request)
            found += [item.id for item in page.items]
            assert page.has_more == page.HasField("next_cursor")
            if not page.has_more:
                break
            cursor = page.next_cursor
        assert found == (made[::-1] if descending else made)


async def test_a_cursor_survives_the_item_that_it_names(disk: DiskClient) -> None:
    made = [await disk.new_disk() for _ in range(3)]
    page = await disk.call("ListDisks", pb.ListDisksRequest(limit=1))
    await disk.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=made[0]))
    rest = await disk.call("ListDisks", pb.ListDisksRequest(cursor=page.next_cursor))
    assert [item.id for item in rest.items] == made[1:]


async def test_a_page_is_refused_that_nobody_can_give(disk: DiskClient) -> None:
    for _ in range(2):
        await disk.new_disk()
    page = await disk.call("ListDisks", pb.ListDisksRequest(limit=1))
    requests = {
        "INVALID_CURSOR": [
            pb.ListDisksRequest(cursor="nonsense"),
            pb.ListDisksRequest(cursor=page.next_cursor, time_desc=True),
        ],
        "INVALID_REQUEST": [pb.ListDisksRequest(limit=0), pb.ListDisksRequest(limit=201)],
    }
    for reason, refused in requests.items():
        for request in refused:
            found = await refusal(disk.call("ListDisks", request))
            assert found[:2] == ("INVALID_ARGUMENT", reason)


async def test_a_repeated_request_gets_the_first_disk(disk: DiskClient) -> None:
    request = pb.CreateDiskRequest(request_id=str(uuid4()))
    first = await disk.call("CreateDisk", request)
    assert await disk.call("CreateDisk", request) == first
    assert len((await disk.call("ListDisks", pb.ListDisksRequest())).items) == 1


async def test_a_disk_belongs_to_a_user_made_on_first_sight(keyed: DiskClient) -> None:
    nobodys = await keyed.new_disk()
    request_id = str(uuid4())
    answer = await keyed.call(
        "CreateDisk", pb.CreateDiskRequest(user="a@b/c", request_id=request_id)
    )
    user_id = answer.disk.user_id
    listed = await keyed.call("ListDisks", pb.ListDisksRequest(user="a@b/c"))
    assert list(listed.items) == [answer.disk]
    everybodys = await keyed.call("ListDisks", pb.ListDisksRequest(user=""))
    assert [item.id for item in everybodys.items] == [nobodys, answer.disk.id]
    assert not everybodys.items[0].HasField("user_id")
    unknown = await keyed.call("ListDisks", pb.ListDisksRequest(user="nobody"))
    assert not unknown.items
    other = pb.CreateDiskRequest(user="somebody else", request_id=request_id)
    assert (await refusal(keyed.call("CreateDisk", other)))[1] == "REQUEST_ID_REUSED"
    count = pb.CountUserResourcesRequest(user_id=user_id)
    assert (await refusal(keyed.call("CountUserResources", count)))[0] == "PERMISSION_DENIED"
    keyed.metadata = keyed.platform.as_service(keyed.project_id)
    assert (await keyed.call("CountUserResources", count)).disks_count == 1


async def test_a_key_that_opens_nothing_is_refused(keyed: DiskClient) -> None:
    for key in ("sk-ac-unknown", "unknown", ""):
        keyed.metadata = [("authorization", f"Bearer {key}")]
        call = keyed.call("ListDisks", pb.ListDisksRequest())
        assert (await refusal(call))[:2] == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_changes_are_announced_and_forgotten_with_the_disk(disk: DiskClient) -> None:
    settings, disk_id = disk.platform.settings, await disk.new_disk()
    await disk.upload(disk_id, "/a", b"x")
    about = f"artifact_changed.{disk.project_id}.{disk_id}"

    async def now() -> set[str]:
        return await subjects(settings)

    await eventually(now, {about})
    await disk.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=disk_id))
    await eventually(now, {f"deleted.disk_deleted.{disk.project_id}.{disk_id}"})


async def test_events_say_what_happened(disk: DiskClient) -> None:
    settings, disk_id, seen = disk.platform.settings, await disk.new_disk(), []

    def note(payload: bytes) -> None:
        seen.append(pb.DiskEvent.FromString(payload))

    async def happened() -> list[str]:
        return [f"{change.filename} {change.removed}" for change in changes()]

    def changes() -> list[pb.ArtifactChanged]:
        return [event.artifact_changed for event in seen]

    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        await bus.ensure_stream("disk")
        client = await nats.connect(settings.nats_url)
        subject = f"{settings.nats_prefix}.disk.v1.artifact_changed.>"

        async def deal(message: Any) -> None:
            note(message.data)

        await client.subscribe(subject, cb=deal)
        await client.flush()
        await disk.upload(disk_id, "/d/a", b"x")
        update = pb.UpdateArtifactRequest(disk_id=disk_id, file_path="/d/a", meta="{}")
        await disk.call("UpdateArtifact", update)
        gone = pb.DeleteArtifactRequest(disk_id=disk_id, file_path="/d/a")
        await disk.call("DeleteArtifact", gone)
        await eventually(happened, ["a False", "a False", "a True"])
        await client.close()
    assert {
        (event.project_id, change.disk_id, change.path)
        for event, change in zip(seen, changes(), strict=True)
    } == {(str(disk.project_id), disk_id, "/d/")}


async def test_a_user_that_session_refuses_is_the_callers_mistake(keyed: DiskClient) -> None:
    bad = keyed.call("CreateDisk", pb.CreateDiskRequest(user="a\0b"))
    assert (await refusal(bad))[:2] == ("INVALID_ARGUMENT", "INVALID_REQUEST")


async def test_what_a_deleted_user_had_is_forgotten(keyed: DiskClient, tmp_path: Path) -> None:
    settings = keyed.platform.settings
    answer = await keyed.call("CreateDisk", pb.CreateDiskRequest(user="goes"))
    await keyed.upload(answer.disk.id, "/a", b"x")
    stays = await keyed.new_disk()
    user_id = UUID(answer.disk.user_id)

    async def left() -> list[str]:
        return [disk.id for disk in (await keyed.call("ListDisks", pb.ListDisksRequest())).items]

    async def receipt() -> bool:
        return f"user_forgotten.{keyed.project_id}.{user_id}" in await subjects(settings)

    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        event = session.SessionEvent(user_deleted=session.UserDeleted(user_id=str(user_id)))
        await announced(bus, keyed.project_id, user_id, event)
        await eventually(left, [stays])
        await eventually(receipt, True)
    assert not [name for name in kept(tmp_path) if "/disk/" in name]


async def test_what_a_deleted_project_had_is_forgotten(disk: DiskClient, tmp_path: Path) -> None:
    settings = disk.platform.settings
    stranger = DiskClient(disk.platform, ProjectId(uuid4()))
    for client in (disk, stranger):
        disk_id = await client.new_disk()
        await client.upload(disk_id, "/a", b"x")

    async def left() -> set[str]:
        return {name for name in await subjects(settings) if str(disk.project_id) in name}

    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        event = session.SessionEvent(project_deleted=session.ProjectDeleted())
        for _ in range(2):
            await announced(bus, disk.project_id, disk.project_id, event)
            receipt = f"project_forgotten.{disk.project_id}.{disk.project_id}"
            await eventually(left, {receipt})
    assert not (await disk.call("ListDisks", pb.ListDisksRequest())).items
    assert [name.split("/")[0] for name in kept(tmp_path)] == [str(stranger.project_id)]


async def test_statistics_count_disks_and_the_bytes_on_them(keyed: DiskClient) -> None:
    empty = await keyed.call("GetDiskStatistics", pb.GetDiskStatisticsRequest())
    assert (empty.disks, empty.artifacts, empty.bytes) == (0, 0, 0)
    disk_id = await keyed.new_disk()
    await keyed.upload(disk_id, "/a.txt", b"four")
    await keyed.upload(disk_id, "/b/c.txt", b"seven!!")
    counted = await keyed.call("GetDiskStatistics", pb.GetDiskStatisticsRequest())
    assert (counted.disks, counted.artifacts, counted.bytes) == (1, 2, 11)
