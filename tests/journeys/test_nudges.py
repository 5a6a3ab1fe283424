"""Observing does not depend on nudges."""

from collections.abc import AsyncIterator

import pytest

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext_server.kit.config import Settings
from tests.journeys.system import eventually
from tests.services import Platform


@pytest.fixture
async def deaf(settings: Settings, platform: Platform) -> AsyncIterator[Platform]:
    """Services of which observer listens to streams that nobody writes to."""
    elsewhere = f"{settings.nats_prefix}_elsewhere"
    deaf = Platform(settings.model_copy(update={"nats_prefix": elsewhere}))
    await platform.start("session")
    await deaf.start("observer")
    yield deaf
    await deaf.stop_all()


async def test_everything_is_observed_when_every_nudge_is_dropped(
    platform: Platform, deaf: Platform
) -> None:
    sessions = session.SessionServiceStub(platform.channel("session"))
    tasks = observer.TaskServiceStub(deaf.channel("observer"))
    for _ in range(3):
        made = await sessions.CreateSession(session.CreateSessionRequest(), metadata=platform.key)
        for number in range(20):
            request = session.StoreMessageRequest(
                session_id=made.session.id,
                blob_json=b'{"role": "user", "content": "Please fix bug %d."}' % number,
            )
            await sessions.StoreMessage(request, metadata=platform.key)

        async def is_observed(session_id: str = made.session.id) -> object:
            asked = observer.GetObservingStatusRequest(session_id=session_id)
            status = await tasks.GetObservingStatus(asked, metadata=platform.key)
            return status.observed == 20 or status

        await eventually("all 20 are observed", is_observed)
