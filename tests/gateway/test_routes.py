"""Which RPC answers a route: those that existing clients call, and every annotation."""

import re

import httpx
import pytest
from google.api import annotations_pb2

from acontext_server.gateway import build
from tests.gateway.conftest import Gateway

ROUTES = """
    GET    ping                                        session.ProjectService/Ping
    POST   session                                     session.SessionService/CreateSession
    GET    session                                     session.SessionService/ListSessions
    DELETE session/A                                   session.SessionService/DeleteSession
    PUT    session/A/configs                           session.SessionService/UpdateSessionConfigs
    GET    session/A/configs                           session.SessionService/GetSession
    POST   session/A/connect_to_space                  session.SessionService/ConnectToSpace
    POST   session/A/messages                          session.SessionService/StoreMessageJson
    GET    session/A/messages                          session.SessionService/ListMessagesJson
    GET    session/A/task                              observer.TaskService/ListTasks
    POST   session/A/flush                             observer.TaskService/FlushSession
    GET    session/A/get_learning_status               observer.TaskService/GetLearningStatus
    GET    session/A/token_counts                      session.SessionService/GetTokenCounts
    GET    session/A/observing_status                  observer.TaskService/GetObservingStatus
    POST   disk                                        disk.DiskService/CreateDisk
    GET    disk                                        disk.DiskService/ListDisks
    DELETE disk/A                                      disk.DiskService/DeleteDisk
    GET    disk/A/artifact                             disk.DiskService/GetArtifact
    PUT    disk/A/artifact                             disk.DiskService/UpdateArtifact
    DELETE disk/A/artifact                             disk.DiskService/DeleteArtifact
    GET    disk/A/artifact/ls                          disk.DiskService/ListArtifacts
    GET    disk/A/artifact/grep                        disk.DiskService/GrepArtifacts
    GET    disk/A/artifact/glob                        disk.DiskService/GlobArtifacts
    POST   space                                       space.SpaceService/CreateSpace
    GET    space                                       space.SpaceService/ListSpaces
    DELETE space/A                                     space.SpaceService/DeleteSpace
    PUT    space/A/configs                             space.SpaceService/UpdateSpaceConfigs
    GET    space/A/configs                             space.SpaceService/GetSpace
    GET    space/A/block                               space.SpaceService/ListBlocks
    POST   space/A/block                               space.SpaceService/CreateBlock
    GET    space/A/block/B/properties                  space.SpaceService/GetBlock
    PUT    space/A/block/B/properties                  space.SpaceService/UpdateBlock
    PUT    space/A/block/B/move                        space.SpaceService/MoveBlock
    PUT    space/A/block/B/sort                        space.SpaceService/SortBlock
    DELETE space/A/block/B                             space.SpaceService/DeleteBlock
    GET    space/A/experience_search                   space.SkillService/SearchSkills
    GET    space/A/experience_confirmations            space.SkillService/ListConfirmations
    PUT    space/A/experience_confirmations/B          space.SkillService/ResolveConfirmation
    PATCH  space/A/experience_confirmations/B          space.SkillService/ResolveConfirmation
    GET    tool/name                                   space.SkillService/ListToolNames
    PUT    tool/name                                   space.SkillService/RenameTools
    GET    user/ls                                     session.ProjectService/ListUsers
    GET    user/me%40here%2Fnow/resources              session.ProjectService/GetUserResources
    DELETE user/me%40here%2Fnow                        session.ProjectService/DeleteUser
"""


def full(name: str) -> str:
    """`session.SessionService/GetSession` -> `/acontext.session.v1.SessionService/GetSession`."""
    package, _, rest = name.partition(".")
    return f"/acontext.{package}.v1.{rest}"


@pytest.mark.parametrize("line", ROUTES.strip().splitlines(), ids=lambda line: line.split()[2])
async def test_a_route_of_existing_clients_has_its_rpc(
    rest: httpx.AsyncClient, gateway: Gateway, line: str
) -> None:
    method, path, rpc = line.split()
    gateway.backend.paths.clear()
    await rest.request(method, f"/api/v1/{path}", content=None if method == "GET" else b"{}")
    assert gateway.backend.paths == [full(rpc)]


@pytest.mark.parametrize(
    ("path", "rpc"),
    [
        ("session/A/messages", "session.SessionService/StoreMessageMultipart"),
        ("disk/A/artifact", "disk.DiskService/UploadArtifactMultipart"),
    ],
)
async def test_an_upload_has_its_rpc(
    rest: httpx.AsyncClient, gateway: Gateway, path: str, rpc: str
) -> None:
    gateway.backend.paths.clear()
    await rest.post(f"/api/v1/{path}", files={"file": b"x"})
    assert gateway.backend.paths == [full(rpc)]


def annotated() -> list[tuple[str, str, str]]:
    """List verb, path and RPC of every annotation that takes JSON."""
    found = []
    for file in build.contracts():
        for service in file.services_by_name.values():
            for rpc in service.methods:
                rule = rpc.GetOptions().Extensions[annotations_pb2.http]
                for binding in [rule, *rule.additional_bindings]:
                    verb = binding.WhichOneof("pattern")
                    if verb and not rpc.client_streaming:
                        found.append(
                            (verb, getattr(binding, verb), f"/{service.full_name}/{rpc.name}")
                        )
    return found


async def test_every_annotation_answers(rest: httpx.AsyncClient, gateway: Gateway) -> None:
    unanswered = []
    for verb, template, rpc in annotated():
        gateway.backend.paths.clear()
        path = re.sub(r"\{[^}]*\}", "A", template)
        await rest.request(verb.upper(), path, content=None if verb == "get" else b"{}")
        if gateway.backend.paths != [rpc]:
            unanswered.append((verb, path, rpc, gateway.backend.paths.copy()))
    assert unanswered == []
