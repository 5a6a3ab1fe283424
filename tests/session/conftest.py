"""Fixtures of the session service's tests."""

import pytest

from tests.services import Platform
from tests.session.conversation import Conversation


@pytest.fixture
async def talk(platform: Platform) -> Conversation:
    """A running session service, and a caller of its default project."""
    await platform.start("session")
    return Conversation(platform)
