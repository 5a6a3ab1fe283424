"""One embedded Acontext for our own SDK and the command line."""

import os
from collections.abc import Iterator

import pytest

from acontext import AcontextClient
from tests.engines import state_folder
from tests.journeys.system import KEY, System, running


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A system on the port and folder of this test run."""
    with state_folder() as folder:
        yield from running(System(folder))


@pytest.fixture
def client(system: System) -> Iterator[AcontextClient]:
    """A client of it."""
    with AcontextClient(base_url=system.url, api_key=KEY) as client:
        yield client


@pytest.fixture(scope="session")
def environment(system: System) -> dict[str, str]:
    """What a program needs to find it, and nothing of ours besides."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"ACONTEXT_BASE_URL": system.url, "ACONTEXT_API_KEY": KEY}
