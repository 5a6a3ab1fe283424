"""One embedded Acontext for the snippets."""

from collections.abc import Iterator

import pytest

from tests.engines import state_folder
from tests.journeys.system import System, running


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A system on the port and folder of this test run."""
    with state_folder() as folder:
        yield from running(System(folder))
