"""Fixtures for all tests."""

import os
import random
from itertools import cycle

from acontext_server.kit.engines import ports

pytest_plugins = ["tests.engines", "tests.services"]

# Test processes that run side by side, and the systems that they start, each look for ports where
# the others do not: a port that was found is free for everybody until somebody listens on it.
_MINE = 9_000 + 2_500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports._candidates = cycle(random.sample(range(_MINE, _MINE + 2_500), 2_500))
