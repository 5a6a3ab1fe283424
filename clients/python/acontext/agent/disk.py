"""The tools of a disk, as a pool."""

from .._async.client import AcontextAsyncClient
from .._definitions import definitions
from .._sync.client import AcontextClient
from .base import BaseContext, BaseToolPool, ReadyTool


class DiskContext(BaseContext):
    """The disk that the tools work on."""

    def __init__(self, client: AcontextClient, disk_id: str) -> None:
        self.client = client
        self.disk_id = disk_id
        self.toolkit = client.tools.disk(disk_id)


class AsyncDiskContext(BaseContext):
    """The same for an asynchronous client."""

    def __init__(self, client: AcontextAsyncClient, disk_id: str) -> None:
        self.client = client
        self.disk_id = disk_id
        self.toolkit = client.tools.disk(disk_id)


class DiskToolPool(BaseToolPool):
    """What an agent does on a disk: read, write, edit, list, find files, and a URL for each."""

    def __init__(self) -> None:
        super().__init__()
        for definition in definitions("disk"):
            self.add_tool(ReadyTool(definition))

    def format_context(self, client: AcontextClient, disk_id: str) -> DiskContext:
        """Choose the disk."""
        return DiskContext(client, disk_id)

    async def async_format_context(
        self, client: AcontextAsyncClient, disk_id: str
    ) -> AsyncDiskContext:
        """Choose the disk for an asynchronous client."""
        return AsyncDiskContext(client, disk_id)


DISK_TOOLS = DiskToolPool()
