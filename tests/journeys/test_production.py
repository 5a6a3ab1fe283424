"""The README against four services of two processes each, and servers of their own."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from acontext_server.serve import SERVICES
from tests.engines import state_folder
from tests.journeys.production import KEY, Production, production_beside
from tests.journeys.test_published_sdks import WALK_THROUGH, interpreter_with_sdk

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def production() -> Iterator[Production]:
    with state_folder() as folder, production_beside(folder) as running:
        yield running


@pytest.mark.timeout(400)
@pytest.mark.parametrize("version", ["0.0.8", "0.1.3"])
def test_a_published_sdk_walks_through_the_readme(version: str, production: Production) -> None:
    environment = {"ACONTEXT_BASE_URL": production.url, "ACONTEXT_API_KEY": KEY}
    walked = subprocess.run(
        [interpreter_with_sdk(version), "-W", "error", str(WALK_THROUGH)],
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (walked.stdout, walked.returncode) == ("walked through\n", 0), walked.stderr


def test_the_gateway_spreads_requests_over_all_replicas(production: Production) -> None:
    # Envoy connects to a replica when it first has a request for it.
    connections = production.process("envoy").net_connections(kind="tcp")
    called = {one.raddr.port for one in connections if one.raddr}
    for service in SERVICES:
        assert set(production.ports[service]) <= called, service
