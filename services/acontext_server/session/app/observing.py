"""How far sessions are observed: what the sweep asks, what a worker reads and reports."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from acontext_server.kit.database import Database
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.session.domain import (
    Log,
    MessageId,
    Observation,
    Place,
    SessionId,
    SessionNotFound,
    UnobservedSession,
)
from acontext_server.session.store import messages, sessions
from acontext_server.session.store import observations as store
from acontext_server.session.store.messages import StoredMessage


@dataclass(frozen=True, slots=True)
class Reading:
    """A stretch of a log and where its session belongs."""

    messages: Sequence[StoredMessage]
    log: Log
    place: Place


@dataclass(frozen=True, slots=True)
class ObservingApp:
    """What observer asks and tells."""

    database: Database
    cursors: Cursors

    async def list_unobserved(
        self, *, older_than: datetime, limit: int, cursor: str | None
    ) -> Page[UnobservedSession]:
        """Name sessions whose oldest unobserved message is older than a time."""
        scope = "unobserved"
        after = self.cursors.decode_time(scope, cursor)
        async with self.database.transaction() as tx:
            rows = await store.list_waiting(tx, older_than=older_than, after=after, limit=limit)
        return self.cursors.page(
            scope, rows, limit, lambda row: (row.waiting_since, row.session_id)
        )

    async def oldest_age(self) -> float:
        """Say for how many seconds the oldest message of all projects waits to be observed."""
        async with self.database.transaction() as tx:
            return await store.oldest_waiting_age(tx)

    async def record_pause(self, project_id: ProjectId, *, until: datetime) -> None:
        """Note until when a project's models pause."""
        async with self.database.transaction() as tx:
            await store.note_pause(tx, project_id, until=until)

    async def read_messages(
        self, project_id: ProjectId, session_id: SessionId, *, after: int, limit: int
    ) -> Reading:
        """Read the log after a sequence."""
        async with self.database.raw() as tx:
            place = await sessions.find_place(tx, project_id, session_id)
            stretch = await messages.read_up(tx, project_id, session_id, after=after, limit=limit)
        if place is None or stretch is None:
            raise SessionNotFound(session_id)
        return Reading(stretch.messages, stretch.log, place)

    async def read_some(
        self, project_id: ProjectId, session_id: SessionId, ids: Sequence[MessageId]
    ) -> Reading:
        """Read these messages of a session."""
        async with self.database.raw() as tx:
            place = await sessions.find_place(tx, project_id, session_id)
            log = await messages.find_log(tx, project_id, session_id)
            found = await messages.read_ids(tx, project_id, session_id, ids)
        if place is None or log is None:
            raise SessionNotFound(session_id)
        return Reading(found, log, place)

    async def record(
        self, project_id: ProjectId, session_id: SessionId, observation: Observation
    ) -> None:
        """Note how far a session is observed. Repeating it, also late, changes nothing."""
        key, links = (project_id, session_id), observation.links
        through, running = observation.observed_through, observation.running_through
        failures = {**dict.fromkeys(observation.healed), **observation.failures}
        async with self.database.raw() as connection, AsyncExitStack() as together:
            if failures:
                await together.enter_async_context(connection.transaction())
            moved = await store.move_observed(
                connection, *key, observed=through, running=running, links=links
            )
            if moved and failures:
                await store.note_failures(connection, *key, failures)
            elif not moved and await messages.find_log(connection, *key) is None:
                raise SessionNotFound(session_id)
