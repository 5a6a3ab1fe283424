"""One embedded Acontext for the SDKs, each with a project of its own."""

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest

from tests.engines import state_folder
from tests.journeys import system as embedded
from tests.journeys.system import System
from tests.sdk.sdk import Sdk, running


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A system on the port and folder of this test run."""
    with state_folder() as folder:
        yield from embedded.running(System(folder))


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest, system: System) -> Iterator[Sdk]:
    """Each SDK that `driven` names in turn, once for all tests."""
    with running(request.param, system.url) as sdk:
        yield sdk


@pytest.fixture(scope="module")
def sdk(driver: Sdk, http: httpx.Client, system: System) -> Sdk:
    """The SDK, on a project of the test file's own."""
    driver.enter(new_key(http, system))
    return driver


@pytest.fixture(scope="session")
def http(system: System) -> Iterator[httpx.Client]:
    """Plain HTTP without a key; one for all, because a client takes long to make."""
    with httpx.Client(base_url=system.url, timeout=60) as http:
        yield http


@pytest.fixture
def rest(http: httpx.Client, system: System) -> Iterator[httpx.Client]:
    """Plain HTTP on a project of the test's own."""
    http.headers["Authorization"] = f"Bearer {new_key(http, system)}"
    yield http
    del http.headers["Authorization"]


@pytest.fixture(scope="session")
def foreign(http: httpx.Client, system: System) -> Mapping[str, str]:
    """Ids of things that belong to another project, by their kind."""
    headers = bearer(new_key(http, system))

    def made(path: str, **fields: object) -> str:
        return str(http.post(path, json=fields, headers=headers).json()["data"]["id"])

    session, space = made("/session"), made("/space")
    message = {"blob": {"role": "user", "content": "Mine."}}
    return {
        "session": session,
        "space": space,
        "disk": made("/disk"),
        "block": made(f"/space/{space}/block", type="folder", title="Mine"),
        "message": made(f"/session/{session}/messages", **message),
    }


def new_key(http: httpx.Client, system: System) -> str:
    """Make a project and give its key."""
    kept = re.search("ACONTEXT_ADMIN_KEY='?([^'\n]+)", (system.folder / ".env").read_text())
    assert kept
    made = http.post("/projects", json={"name": "sdk"}, headers=bearer(kept[1]))
    secret: str = made.json()["data"]["secret"]
    return secret


def bearer(key: str) -> Mapping[str, str]:
    """Give the header that opens a project."""
    return {"Authorization": f"Bearer {key}"}
