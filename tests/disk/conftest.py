"""A running disk."""

from uuid import uuid4

import pytest

from acontext_server.kit.ids import ProjectId
from tests.disk.client import DiskClient
from tests.services import Platform


@pytest.fixture
async def disk(platform: Platform) -> DiskClient:
    """A running disk and a project of its own."""
    await platform.start("disk")
    return DiskClient(platform, ProjectId(uuid4()))
