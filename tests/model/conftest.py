"""Fixtures: a scripted endpoint, and models that ask it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.model import Model, Models, open_models
from tests.model.endpoint import Endpoint, scripted_endpoint
from tests.services import ROOT_KEY
from tests.space.neighbours import ROOT, Neighbours, serve_neighbours


class Ask(Protocol):
    """Opens a model with some settings."""

    async def __call__(self, **settings: Any) -> Model: ...


class AskAny(Protocol):
    """Opens all models of the endpoint with some settings."""

    async def __call__(self, **settings: Any) -> Models: ...


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """The endpoint of this test."""
    async with scripted_endpoint() as served:
        yield served


@pytest.fixture
async def models_of(endpoint: Endpoint) -> AsyncIterator[AskAny]:
    """Opens models that ask the endpoint."""
    async with AsyncExitStack() as running:

        async def opened(**chosen: Any) -> Models:
            scripted = Settings(model_url=endpoint.url, model_name="scripted", model_retries=3)
            settings = scripted.model_copy(update=chosen)
            models = await running.enter_async_context(open_models(settings))
            assert models
            return models

        yield opened


@pytest.fixture
def open_model(models_of: AskAny) -> Ask:
    """Opens the model that observes."""

    async def opened(**chosen: Any) -> Model:
        return (await models_of(**chosen)).of("observer")

    return opened


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
