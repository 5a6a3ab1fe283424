"""A revoked key is refused by every service within five seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from grpc import StatusCode, aio

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from tests.services import SERVICES, Platform
from tests.tenants.belongings import Metadata, new_project

SECONDS = 5.0

Ask = Callable[[Metadata], Awaitable[object]]


def questions(platform: Platform) -> dict[str, Ask]:
    """One cheap question to each service."""
    sessions = session.SessionServiceStub(platform.channel("session"))
    disks = disk.DiskServiceStub(platform.channel("disk"))
    runs = observer.RunServiceStub(platform.channel("observer"))
    spaces = space.SpaceServiceStub(platform.channel("space"))
    return {
        "session": lambda key: sessions.ListSessions(session.ListSessionsRequest(), metadata=key),
        "disk": lambda key: disks.ListDisks(disk.ListDisksRequest(), metadata=key),
        "observer": lambda key: runs.ListRuns(observer.ListRunsRequest(), metadata=key),
        "space": lambda key: spaces.ListSpaces(space.ListSpacesRequest(), metadata=key),
    }


async def test_a_revoked_key_is_refused_by_every_service_within_seconds(
    platform: Platform,
) -> None:
    await platform.start(*SERVICES)
    _, key = await new_project(platform, "rotating")
    projects = session.ProjectServiceStub(platform.channel("session"))
    made = await projects.CreateApiKey(session.CreateApiKeyRequest(), metadata=key)
    second = (("authorization", f"Bearer {made.secret}"),)
    asked = questions(platform)
    for ask in asked.values():
        await ask(second)
    await projects.RevokeApiKey(session.RevokeApiKeyRequest(key_id=made.key.id), metadata=key)
    revoked = time.monotonic()
    waits = await asyncio.gather(*(until_refused(ask, second) for ask in asked.values()))
    took = {name: end - revoked for name, end in zip(asked, waits, strict=True)}
    assert all(seconds < SECONDS for seconds in took.values()), took
    for ask in asked.values():
        await ask(key)


async def until_refused(ask: Ask, key: Metadata) -> float:
    """Ask again and again, and say when it was refused."""
    end = time.monotonic() + 2 * SECONDS
    while time.monotonic() < end:
        try:
            await ask(key)
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.UNAUTHENTICATED:
                raise
            break
        await asyncio.sleep(0.05)
    return time.monotonic()
