"""Projects, their settings, and the keys that open them."""

import builtins
from collections.abc import AsyncIterator, Awaitable, Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from ..session import v1 as pb
from ..types.common import Page, page_of
from ..types.project import (
    ApiKey,
    CreatedApiKey,
    CreatedProject,
    Project,
    ProjectSettings,
    Receipt,
)
from .connection import AsyncResource, every_page, new_request_id

_UNSET: tuple[object, ...] = (None, [], {})


class AsyncProjectsAPI(AsyncResource):
    """Projects. A project's key acts on its own; the operator's key on every, by `project_id`."""

    async def create(self, *, name: str) -> CreatedProject:
        """Make an empty project and its first key. For the operator only."""
        request = pb.CreateProjectRequest(name=name, request_id=new_request_id())
        answer = await self._connection.call(self._stubs.projects.CreateProject, request)
        return CreatedProject.of(answer)

    async def get(self, *, project_id: str | None = None) -> Project:
        """Return a project, the key's own unless named."""
        request = pb.GetProjectRequest(project_id=project_id)
        answer = await self._connection.call(self._stubs.projects.GetProject, request)
        return Project.of(answer.project)

    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Project]:
        """Return a page of 1 to 200 projects (20). For the operator only."""
        request = pb.ListProjectsRequest(limit=limit, cursor=cursor, time_desc=bool(time_desc))
        answer = await self._connection.call(self._stubs.projects.ListProjects, request)
        return page_of(Project, answer)

    def list_all(self, *, time_desc: bool | None = None) -> AsyncIterator[Project]:
        """Go through every project, page by page. For the operator only."""

        def ask(cursor: str | None) -> Awaitable[Page[Project]]:
            return self.list(limit=200, cursor=cursor, time_desc=time_desc)

        return every_page(ask)

    async def rename(self, *, name: str, project_id: str | None = None) -> Project:
        """Give a project another name."""
        request = pb.UpdateProjectRequest(project_id=project_id, project=pb.Project(name=name))
        answer = await self._connection.call(self._stubs.projects.UpdateProject, request)
        return Project.of(answer.project)

    async def delete(self, project_id: str) -> Receipt:
        """Remove a project with everything in it. For the operator only.

        DeletionInProgress when services are not done within 25 s; it goes on all the same.
        """
        request = pb.DeleteProjectRequest(project_id=project_id)
        answer = await self._connection.call(self._stubs.projects.DeleteProject, request)
        return Receipt.of(answer.receipt)

    async def get_settings(self, *, project_id: str | None = None) -> ProjectSettings:
        """Return what was set; None means the default."""
        request = pb.GetProjectSettingsRequest(project_id=project_id)
        answer = await self._connection.call(self._stubs.projects.GetProjectSettings, request)
        return ProjectSettings.of(answer.settings)

    async def update_settings(
        self,
        settings: ProjectSettings,
        *,
        reset: Sequence[str] = (),
        project_id: str | None = None,
    ) -> ProjectSettings:
        """Set what is given and unset what `reset` names, in force within 5 s."""
        given = [name for name, value in settings.model_dump().items() if value not in _UNSET]
        request = pb.UpdateProjectSettingsRequest(
            project_id=project_id,
            settings=_settings_message(settings),
            update_mask=FieldMask(paths=[*given, *reset]),
        )
        answer = await self._connection.call(self._stubs.projects.UpdateProjectSettings, request)
        return ProjectSettings.of(answer.settings)


class AsyncKeysAPI(AsyncResource):
    """API keys. A secret is shown once, when its key is made."""

    async def create(self, *, project_id: str | None = None) -> CreatedApiKey:
        """Make one more key. A secret that was lost on the way is revoked and made anew."""
        request = pb.CreateApiKeyRequest(project_id=project_id)
        answer = await self._connection.call(self._stubs.projects.CreateApiKey, request)
        return CreatedApiKey.of(answer)

    async def list(self, *, project_id: str | None = None) -> builtins.list[ApiKey]:
        """Return the keys that work, oldest first, without their secrets."""
        request = pb.ListApiKeysRequest(project_id=project_id)
        answer = await self._connection.call(self._stubs.projects.ListApiKeys, request)
        return [ApiKey.of(item) for item in answer.items]

    async def rotate(
        self, key_id: str, *, overlap_seconds: int = 0, project_id: str | None = None
    ) -> CreatedApiKey:
        """Make a key in place of an old one, which works on for up to 30 days."""
        request = pb.RotateApiKeyRequest(
            key_id=key_id, overlap_seconds=overlap_seconds, project_id=project_id
        )
        answer = await self._connection.call(self._stubs.projects.RotateApiKey, request)
        return CreatedApiKey.of(answer)

    async def revoke(self, key_id: str, *, project_id: str | None = None) -> None:
        """End a key, everywhere within 5 s."""
        request = pb.RevokeApiKeyRequest(key_id=key_id, project_id=project_id)
        await self._connection.call(self._stubs.projects.RevokeApiKey, request)


def _settings_message(settings: ProjectSettings) -> pb.ProjectSettings:
    given = {**settings.model_dump(), "difficulty_rules": [], "models": settings.models}
    message = pb.ProjectSettings(**given)
    for rule in settings.difficulty_rules:
        message.difficulty_rules.add(text=rule.text, weight=rule.weight)
    return message
