"""Events over a NATS that is a cluster, is behind TLS, dies and comes back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig

from acontext_server.kit.bus import Bus, NatsAddress, connect, open_bus
from acontext_server.kit.ids import ProjectId
from tests.kit.nats_cluster import Cluster

PROJECT = ProjectId(uuid4())


@pytest.fixture(params=["plain", "tls"])
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path, tls=request.param == "tls")
    try:
        cluster.start(0, 1, 2)
        yield cluster
    finally:
        cluster.end()


@pytest.fixture
async def bus(cluster: Cluster) -> AsyncIterator[Bus]:
    async with open_bus(cluster.url, prefix="test", replicas=3) as bus:
        async with asyncio.timeout(60):
            await bus.ensure_stream("session")
        yield bus


class Heard:
    """What a consumer was given."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self._news = asyncio.Event()

    async def take(self, payload: bytes) -> None:
        self.events.append(payload)
        self._news.set()

    async def until(self, expected: set[bytes]) -> None:
        async with asyncio.timeout(60):
            while not expected <= set(self.events):
                await self._news.wait()
                self._news.clear()


async def nudge(bus: Bus, number: int) -> None:
    """Nudge as session does: what the stream did not take is told again."""
    subject = bus.subject("session", "stored", PROJECT, number)
    while True:
        if await bus.nudge(subject, b"%d" % number):
            return
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_streams_are_kept_by_three_and_outlive_each_of_them(
    cluster: Cluster, bus: Bus
) -> None:
    heard = Heard()
    listening = asyncio.create_task(bus.listen("session", "test", ["stored"], heard.take))
    expected: set[bytes] = set()
    for victim in range(3):
        cluster.kill(victim)
        async with asyncio.timeout(60):
            await asyncio.gather(*(nudge(bus, 10 * victim + one) for one in range(10)))
        cluster.start(victim)
        expected |= {b"%d" % (10 * victim + one) for one in range(10)}
        await heard.until(expected)
    listening.cancel()
    config = await stream(cluster)
    assert config.num_replicas == 3


@pytest.mark.slow
async def test_no_nudge_is_lost_when_all_of_nats_dies(cluster: Cluster, bus: Bus) -> None:
    heard = Heard()
    listening = asyncio.create_task(bus.listen("session", "test", ["stored"], heard.take))
    cluster.kill(0, 1, 2)
    nudging = [asyncio.create_task(nudge(bus, number)) for number in range(20)]
    cluster.start(0, 1, 2)
    async with asyncio.timeout(60):
        await asyncio.gather(*nudging)
    await heard.until({b"%d" % number for number in range(20)})
    listening.cancel()


@pytest.mark.slow
async def test_a_wrong_password_is_refused(cluster: Cluster, bus: Bus) -> None:
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    wrong = cluster.url_as("acontext", "wrong")
    with pytest.raises(NatsError):
        await connect(wrong, max_reconnect_attempts=1, error_cb=note)
    assert any("Authorization" in error for error in errors)


async def stream(cluster: Cluster) -> StreamConfig:
    client = await connect(cluster.url)
    try:
        return (await client.jetstream().stream_info("test_session")).config
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("nats://a:4222", NatsAddress(servers=["nats://a:4222"])),
        ("tls://t%2Fk@a,b:1", NatsAddress(servers=["tls://a", "tls://b:1"], token="t/k")),
        ("nats://me:p%40@a", NatsAddress(servers=["nats://a"], user="me", password="p@")),
    ],
)
def test_an_address_says_who_is_asked_and_as_whom(url: str, address: NatsAddress) -> None:
    assert NatsAddress.parse(url) == address
