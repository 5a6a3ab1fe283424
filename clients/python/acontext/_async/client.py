"""The client: every resource on one line."""

from typing import Self

from .._settings import Patience, address_of, key_of, timeout_of
from ..health import v1 as health
from ..session import v1 as session
from ..types.health import Health
from .blocks import AsyncBlocksAPI
from .connection import AsyncConnection
from .disks import AsyncDisksAPI
from .line import AsyncLine
from .projects import AsyncKeysAPI, AsyncProjectsAPI
from .runs import AsyncRunsAPI
from .sessions import AsyncSessionsAPI
from .spaces import AsyncSpacesAPI
from .tasks import AsyncTasksAPI
from .tools import AsyncToolsAPI
from .users import AsyncUsersAPI


class AcontextAsyncClient:
    """Acontext over gRPC, on the one port of its gateway.

    The key comes from `api_key` or ACONTEXT_API_KEY; the address from `base_url` or
    ACONTEXT_BASE_URL (http://localhost:8029/api/v1), where https means TLS. `timeout` (32 s, or
    ACONTEXT_TIMEOUT) holds for a call with all its retries, of which there are at most
    `max_retries`: reads, and writes that the services know again, are tried anew when the line
    breaks. Nothing runs between calls, and leaving the client without closing it leaves nothing
    behind.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        user_agent: str | None = None,
        max_retries: int = 5,
        root_certificates: bytes | None = None,
    ) -> None:
        address = address_of(base_url, user_agent, root_certificates)
        patience = Patience(timeout=timeout_of(timeout), retries=max_retries)
        self._arrange(AsyncConnection(AsyncLine(address), key_of(api_key), patience))

    def _arrange(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.sessions = AsyncSessionsAPI(connection)
        self.tasks = AsyncTasksAPI(connection)
        self.disks = AsyncDisksAPI(connection)
        self.artifacts = self.disks.artifacts
        self.spaces = AsyncSpacesAPI(connection)
        self.blocks = AsyncBlocksAPI(connection)
        self.tools = AsyncToolsAPI(connection)
        self.users = AsyncUsersAPI(connection)
        self.runs = AsyncRunsAPI(connection)
        self.projects = AsyncProjectsAPI(connection)
        self.keys = AsyncKeysAPI(connection)

    @property
    def base_url(self) -> str:
        """Where the gateway is."""
        return self._connection.line.address.base_url

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> Self:
        """Give the same client with another time-out or number of retries, on the same line."""
        other = object.__new__(type(self))
        other._arrange(self._connection.with_options(timeout=timeout, max_retries=max_retries))
        return other

    async def ping(self) -> str:
        """Return `pong` if the services answer and the key is good."""
        stub = self._connection.stubs.projects
        return (await self._connection.call(stub.Ping, session.PingRequest())).msg

    async def health(self) -> Health:
        """Say how every service and engine is. For the operator's key only; takes at most 5 s."""
        stub = self._connection.stubs.health
        answer = await self._connection.call(stub.GetHealth, health.GetHealthRequest())
        return Health.of(answer.health)

    async def close(self) -> None:
        """End every watch and the line; what `with_options` gave ends too."""
        await self._connection.line.close()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
