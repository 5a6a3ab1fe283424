"""A project with one of everything, so that another can try to reach it."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from google.protobuf import struct_pb2

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.demo.story import CI_SETUP
from tests.services import Platform

Metadata = tuple[tuple[str, str], ...]

USER = "somebody@example.com"
ARTIFACT = "/notes/secret.md"
LEARN_ALL = {"learning": {"minimum_difficulty": 0, "confirmation": True}}


@dataclass(frozen=True, slots=True)
class Project:
    """A project, its key, and the ids of what is in it, by the name that requests call them."""

    project_id: str
    key: Metadata
    ids: Mapping[str, str]


async def new_project(platform: Platform, name: str) -> tuple[str, Metadata]:
    """Make a project and return its id and its first key."""
    projects = session.ProjectServiceStub(platform.channel("session"))
    made = await projects.CreateProject(
        session.CreateProjectRequest(name=name), metadata=platform.operator
    )
    return made.project.id, (("authorization", f"Bearer {made.secret}"),)


async def furnished_project(platform: Platform) -> Project:
    """Make a project with one of everything that a request can name."""
    project_id, key = await new_project(platform, "furnished")
    ids = {
        "project_id": project_id,
        "user_id": str(uuid4()),
        "identifier": USER,
        "user": USER,
        **await _keys(platform, key),
        **(learned := await _learned(platform, key)),
        **await _blocks(platform, key, learned["space_id"]),
        **await _files(platform, key),
    }
    return Project(project_id, key, ids)


async def _keys(platform: Platform, key: Metadata) -> dict[str, str]:
    projects = session.ProjectServiceStub(platform.channel("session"))
    made = await projects.CreateApiKey(session.CreateApiKeyRequest(), metadata=key)
    return {"key_id": made.key.id}


async def _learned(platform: Platform, key: Metadata) -> dict[str, str]:
    spaces = space.SpaceServiceStub(platform.channel("space"))
    configs = struct_pb2.Struct()
    configs.update(LEARN_ALL)
    made = await spaces.CreateSpace(
        space.CreateSpaceRequest(user=USER, configs=configs), metadata=key
    )
    session_id, message_id = await _conversation(platform, key, made.space.id)
    tasks = observer.TaskServiceStub(platform.channel("observer"))
    runs = observer.RunServiceStub(platform.channel("observer"))
    await tasks.FlushSession(observer.FlushSessionRequest(session_id=session_id), metadata=key)
    found = await tasks.ListTasks(observer.ListTasksRequest(session_id=session_id), metadata=key)
    listed = await runs.ListRuns(observer.ListRunsRequest(), metadata=key)
    confirmation_id = await _confirmation(platform, key, made.space.id)
    skills = space.SkillServiceStub(platform.channel("space"))
    lessons = await skills.ListLearningRuns(space.ListLearningRunsRequest(), metadata=key)
    return {
        "space_id": made.space.id,
        "session_id": session_id,
        "pin_editing_strategies_at_message": message_id,
        "task_id": found.items[0].id,
        "run_id": listed.items[0].id,
        # What two services call alike is named in full.
        "acontext.space.v1.GetLearningRunRequest.run_id": lessons.items[0].id,
        "confirmation_id": confirmation_id,
    }


async def _conversation(platform: Platform, key: Metadata, space_id: str) -> tuple[str, str]:
    sessions = session.SessionServiceStub(platform.channel("session"))
    opened = await sessions.CreateSession(
        session.CreateSessionRequest(user=USER, space_id=space_id), metadata=key
    )
    session_id = opened.session.id
    for message in CI_SETUP:
        stored = await sessions.StoreMessage(
            session.StoreMessageRequest(
                session_id=session_id, blob_json=json.dumps(message).encode()
            ),
            metadata=key,
        )
    return session_id, stored.message.id


async def _confirmation(platform: Platform, key: Metadata, space_id: str) -> str:
    skills = space.SkillServiceStub(platform.channel("space"))
    async with asyncio.timeout(60):
        while True:
            waiting = await skills.ListConfirmations(
                space.ListConfirmationsRequest(space_id=space_id), metadata=key
            )
            if waiting.items:
                return str(waiting.items[0].id)
            await asyncio.sleep(0.1)


async def _blocks(platform: Platform, key: Metadata, space_id: str) -> dict[str, str]:
    spaces = space.SpaceServiceStub(platform.channel("space"))
    page = await spaces.CreateBlock(
        space.CreateBlockRequest(space_id=space_id, type="page", title="secrets"),
        metadata=key,
    )
    props = struct_pb2.Struct()
    props.update({"preferences": "private", "tool_sops": [{"tool_name": "t", "action": "a"}]})
    sop = await spaces.CreateBlock(
        space.CreateBlockRequest(
            space_id=space_id, type="sop", parent_id=page.id, title="hide", props=props
        ),
        metadata=key,
    )
    return {"page_id": page.id, "parent_id": page.id, "block_id": sop.id, "skill_id": sop.id}


async def _files(platform: Platform, key: Metadata) -> dict[str, str]:
    disks = disk.DiskServiceStub(platform.channel("disk"))
    made = await disks.CreateDisk(disk.CreateDiskRequest(user=USER), metadata=key)
    pieces: Sequence[disk.UploadArtifactRequest] = [
        disk.UploadArtifactRequest(head=disk.UploadHead(disk_id=made.disk.id, file_path=ARTIFACT)),
        disk.UploadArtifactRequest(chunk=b"the treasure is under the oak"),
    ]
    await disks.UploadArtifact(iter(pieces), metadata=key)
    return {"disk_id": made.disk.id}
