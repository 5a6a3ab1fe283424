"""Fixtures: a scripted endpoint, and models that ask it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

import pytest

from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.model import Model, open_models
from tests.model.endpoint import Endpoint, scripted_endpoint
from tests.services import ROOT_KEY
from tests.space.neighbours import ROOT, Neighbours, serve_neighbours


class Ask(Protocol):
    """Opens a model with some settings."""

    async def __call__(self, **settings: Any) -> Model: ...


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """The endpoint of this test."""
    async with scripted_endpoint() as served:
        yield served


@pytest.fixture
async def open_model(endpoint: Endpoint) -> AsyncIterator[Ask]:
    """Opens models that ask the endpoint."""
    async with AsyncExitStack() as running:

        async def opened(**chosen: Any) -> Model:
            scripted = Settings(model_url=endpoint.url, model_name="scripted", model_retries=3)
            settings = scripted.model_copy(update=chosen)
            return await running.enter_async_context(_opened(settings))

        yield opened


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Model]:
    async with open_models(settings) as models:
        assert models
        yield models.of("observer")


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    """What space hears of its neighbours by."""
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as opened:
        yield opened


@pytest.fixture
async def neighbours(settings: Settings) -> AsyncIterator[Neighbours]:
    """Session and observer, as space sees them."""
    async with serve_neighbours(settings) as served:
        served.keys[ROOT_KEY] = ROOT
        yield served
