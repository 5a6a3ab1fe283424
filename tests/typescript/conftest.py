"""One embedded Acontext, and the client's package in a home of its own."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.engines import state_folder
from tests.journeys import system as embedded
from tests.journeys.system import System
from tests.sdk.conftest import new_key
from tests.typescript.packed import Package, home, need_node, pack


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A system on the port and folder of this test run."""
    with state_folder() as folder:
        yield from embedded.running(System(folder))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The client as `npm pack` makes it."""
    need_node()
    return pack(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="session")
def installed(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where the package is installed."""
    return home(tmp_path_factory.mktemp("installed"), package.archive)


@pytest.fixture
def place(system: System) -> Callable[[], Mapping[str, str]]:
    """Makes a project of a program's own, and gives its environment."""

    def made() -> Mapping[str, str]:
        with httpx.Client(base_url=system.url, timeout=60) as http:
            key = new_key(http, system)
        kept = re.search("ACONTEXT_ADMIN_KEY='?([^'\n]+)", (system.folder / ".env").read_text())
        assert kept
        return {
            "ACONTEXT_BASE_URL": system.url,
            "ACONTEXT_API_KEY": key,
            "ACONTEXT_ADMIN_KEY": kept[1],
        }

    return made
