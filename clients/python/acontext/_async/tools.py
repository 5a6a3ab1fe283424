"""Names of tools that skills call, and tools for agents."""

from collections.abc import Sequence

from ..space import v1 as pb
from ..types.tool import FlagResponse, ToolReferenceData, ToolRenameItem
from .connection import AsyncConnection, AsyncResource
from .disks import AsyncDisksAPI
from .spaces import AsyncSpacesAPI
from .toolkit import AsyncToolkit, DiskTools, SkillTools


class AsyncToolsAPI(AsyncResource):
    """Tool names of the project's skills, and ready tools for an agent."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._disks = AsyncDisksAPI(connection)
        self._spaces = AsyncSpacesAPI(connection)

    async def get_tool_name(self) -> list[ToolReferenceData]:
        """Return the tools that the project's skills know, by name."""
        answer = await self._connection.call(
            self._stubs.skills.ListToolNames, pb.ListToolNamesRequest()
        )
        return [ToolReferenceData.of(item) for item in answer.items]

    async def rename_tool_name(self, *, rename: Sequence[ToolRenameItem]) -> FlagResponse:
        """Rename tools in every step; onto a known name they merge. Unknown ones are skipped."""
        renames = [pb.ToolRename(**one) for one in rename]
        request = pb.RenameToolsRequest(rename=renames)
        answer = await self._connection.call(self._stubs.skills.RenameTools, request)
        return FlagResponse.of(answer)

    def disk(self, disk_id: str) -> AsyncToolkit:
        """Give an agent a disk: read, write, edit, list, find files, and a URL for each.

        Iterating gives definitions for OpenAI; `.anthropic()`, `.gemini()` and `.agents()` for the
        others; `.call(name, arguments)` does what the model asked for.
        """
        return AsyncToolkit(DiskTools(self._disks, disk_id).tools())

    def skills(self, space_id: str, *, session_id: str | None = None) -> AsyncToolkit:
        """Give an agent a search in the skills of a space; what is served is noted in a session."""
        return AsyncToolkit(SkillTools(self._spaces, space_id, session_id).tools())
