"""ProjectService over gRPC."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask

from acontext.session import v1 as pb
from acontext_server.kit.auth import CallerKind, Keys, caller
from acontext_server.kit.errors import InvalidRequest, Unauthenticated
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc.interceptor import Context
from acontext_server.session.app.deleting import DeletingApp
from acontext_server.session.app.projects import ProjectApp
from acontext_server.session.convert import to_key, to_project, to_timestamp, to_user
from acontext_server.session.domain import KeyId, ProjectNotFound

DEFAULT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class ProjectServicer(pb.ProjectServiceServicer):
    """Projects, their keys and settings, and their users."""

    projects: ProjectApp
    deleting: DeletingApp
    keys: Keys
    """What this process knows of keys: it hears of a change before anybody else."""

    async def Ping(self, request: pb.PingRequest, context: Context) -> pb.PingResponse:
        return pb.PingResponse(code=0, msg="pong")

    async def CreateProject(
        self, request: pb.CreateProjectRequest, context: Context
    ) -> pb.CreateProjectResponse:
        request_id = UUID(request.request_id) if request.HasField("request_id") else None
        project, secret = await self.projects.create_project(request.name, request_id)
        return pb.CreateProjectResponse(project=to_project(project), secret=secret)

    async def GetProject(
        self, request: pb.GetProjectRequest, context: Context
    ) -> pb.GetProjectResponse:
        project = await self.projects.get_project(_target(request.project_id))
        return pb.GetProjectResponse(project=to_project(project))

    async def ListProjects(
        self, request: pb.ListProjectsRequest, context: Context
    ) -> pb.ListProjectsResponse:
        page = await self.projects.list_projects(
            limit=request.limit if request.HasField("limit") else DEFAULT_LIMIT,
            cursor=request.cursor or None,
            time_desc=request.time_desc,
        )
        return pb.ListProjectsResponse(
            items=[to_project(project) for project in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    async def UpdateProject(
        self, request: pb.UpdateProjectRequest, context: Context
    ) -> pb.UpdateProjectResponse:
        paths = _paths(request.update_mask, ["name"], ["name"])
        name = request.project.name
        if "name" in paths and (not name or len(name) > 200):
            raise InvalidRequest.of("project.name", "must have 1 to 200 characters")
        project_id = _target(request.project_id)
        project = await self.projects.rename_project(project_id, name)
        return pb.UpdateProjectResponse(project=to_project(project))

    async def DeleteProject(
        self, request: pb.DeleteProjectRequest, context: Context
    ) -> pb.DeleteProjectResponse:
        project_id = ProjectId(UUID(request.project_id))
        confirmed = await self.deleting.delete_project(project_id, closed=self.keys.forget)
        return pb.DeleteProjectResponse(receipt=pb.Receipt(confirmed_by=confirmed))

    async def GetProjectSettings(
        self, request: pb.GetProjectSettingsRequest, context: Context
    ) -> pb.GetProjectSettingsResponse:
        settings = await self.projects.get_settings(_target(request.project_id))
        return pb.GetProjectSettingsResponse(settings=pb.ProjectSettings.FromString(settings))

    async def UpdateProjectSettings(
        self, request: pb.UpdateProjectSettingsRequest, context: Context
    ) -> pb.UpdateProjectSettingsResponse:
        project_id = _target(request.project_id)
        change = _change_of(request.settings, request.update_mask)
        settings = await self.projects.change_settings(project_id, change)
        return pb.UpdateProjectSettingsResponse(settings=pb.ProjectSettings.FromString(settings))

    async def CreateApiKey(
        self, request: pb.CreateApiKeyRequest, context: Context
    ) -> pb.CreateApiKeyResponse:
        key, secret = await self.projects.create_key(_target(request.project_id))
        return pb.CreateApiKeyResponse(key=to_key(key), secret=secret)

    async def ListApiKeys(
        self, request: pb.ListApiKeysRequest, context: Context
    ) -> pb.ListApiKeysResponse:
        keys = await self.projects.list_keys(_target(request.project_id))
        return pb.ListApiKeysResponse(items=[to_key(key) for key in keys])

    async def RotateApiKey(
        self, request: pb.RotateApiKeyRequest, context: Context
    ) -> pb.RotateApiKeyResponse:
        key, secret = await self.projects.rotate_key(
            _target(request.project_id),
            KeyId(UUID(request.key_id)),
            timedelta(seconds=request.overlap_seconds),
        )
        self.keys.forget()
        return pb.RotateApiKeyResponse(key=to_key(key), secret=secret)

    async def RevokeApiKey(
        self, request: pb.RevokeApiKeyRequest, context: Context
    ) -> pb.RevokeApiKeyResponse:
        key_id = KeyId(UUID(request.key_id))
        await self.projects.revoke_key(_target(request.project_id), key_id)
        self.keys.forget()
        return pb.RevokeApiKeyResponse()

    async def ListUsers(
        self, request: pb.ListUsersRequest, context: Context
    ) -> pb.ListUsersResponse:
        page = await self.projects.list_users(
            caller().project_id,
            limit=request.limit,
            cursor=request.cursor or None,
            time_desc=request.time_desc,
        )
        return pb.ListUsersResponse(
            items=[to_user(user) for user in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    async def GetUserResources(
        self, request: pb.GetUserResourcesRequest, context: Context
    ) -> pb.GetUserResourcesResponse:
        found = await self.deleting.get_user_resources(caller().project_id, request.identifier)
        counts = pb.UserResourceCounts(
            spaces_count=found.spaces, sessions_count=found.sessions, disks_count=found.disks
        )
        return pb.GetUserResourcesResponse(counts=counts)

    async def DeleteUser(
        self, request: pb.DeleteUserRequest, context: Context
    ) -> pb.DeleteUserResponse:
        await self.deleting.delete_user(caller().project_id, request.identifier)
        return pb.DeleteUserResponse()

    async def ResolveKey(
        self, request: pb.ResolveKeyRequest, context: Context
    ) -> pb.ResolveKeyResponse:
        found = await self.projects.find_key(request.secret)
        if found is None:
            raise Unauthenticated
        key, settings = found
        return pb.ResolveKeyResponse(
            project_id=str(key.project_id),
            expires_at=to_timestamp(key.expires_at) if key.expires_at else None,
            settings=pb.ProjectSettings.FromString(settings),
        )

    async def EnsureUser(
        self, request: pb.EnsureUserRequest, context: Context
    ) -> pb.EnsureUserResponse:
        user = await self.projects.ensure_user(caller().project_id, request.identifier)
        return pb.EnsureUserResponse(user=to_user(user))

    async def FindUser(self, request: pb.FindUserRequest, context: Context) -> pb.FindUserResponse:
        user = await self.projects.find_user(caller().project_id, request.identifier)
        return pb.FindUserResponse(user=to_user(user) if user else None)


def _target(project_id: str) -> ProjectId:
    """Say which project a call is about: the operator names it, others have only their own."""
    who = caller()
    if who.kind is CallerKind.OPERATOR:
        if not project_id:
            raise InvalidRequest.of("project_id", "is required of the operator")
        return ProjectId(UUID(project_id))
    if project_id and UUID(project_id) != who.project_id:
        raise ProjectNotFound(project_id)
    return who.project_id


def _paths(mask: FieldMask, populated: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    paths = mask.paths or populated
    for path in paths:
        if path not in known:
            raise InvalidRequest.of("update_mask", f"has no field {path}")
    return list(paths)


def _change_of(settings: pb.ProjectSettings, mask: FieldMask) -> Callable[[bytes], bytes]:
    populated = [field.name for field, _ in settings.ListFields()]
    known = [field.name for field in settings.DESCRIPTOR.fields]
    paths = _paths(mask, populated, known)

    def change(before: bytes) -> bytes:
        after = pb.ProjectSettings.FromString(before)
        for path in paths:
            after.ClearField(path)  # type: ignore[arg-type] # a path that is known
        picked = pb.ProjectSettings()
        picked.CopyFrom(settings)
        for path in set(known) - set(paths):
            picked.ClearField(path)  # type: ignore[arg-type] # as above
        after.MergeFrom(picked)
        return after.SerializeToString(deterministic=True)

    return change
