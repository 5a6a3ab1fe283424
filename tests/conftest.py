"""Fixtures for all tests."""

import os
import random
from itertools import cycle

from hypothesis import HealthCheck, settings

from acontext_server.kit.engines import ports

pytest_plugins = ["tests.engines", "tests.services"]

# The machine is shared with engines and other test processes: time says nothing here.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

# Test processes that run side by side, and the systems that they start, each look for ports where
# the others do not: a port that was found is free for everybody until somebody listens on it.
_MINE = 9_000 + 2_500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports._candidates = cycle(random.sample(range(_MINE, _MINE + 2_500), 2_500))
