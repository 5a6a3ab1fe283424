"""Fixtures: space, and its neighbours."""

from collections.abc import AsyncIterator

import pytest

from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from tests.services import ROOT_KEY, Platform
from tests.space.neighbours import ROOT, Neighbours, serve_neighbours
from tests.space.running import Space


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as opened:
        yield opened


@pytest.fixture
async def neighbours(settings: Settings) -> AsyncIterator[Neighbours]:
    async with serve_neighbours(settings) as served:
        served.keys[ROOT_KEY] = ROOT
        yield served


@pytest.fixture
async def space(neighbours: Neighbours, platform: Platform, bus: Bus) -> Space:
    await platform.start("space")
    return Space(platform, neighbours, bus)
