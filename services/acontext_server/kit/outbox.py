"""The outbox: facts are written in the transaction that makes them, and published after it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from nats.errors import Error as NatsError
from sqlalchemy import (
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    tuple_,
)

from acontext_server.kit.bus import Bus
from acontext_server.kit.database import Database, Tx, after_commit
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.telemetry.traces import carried

log = structlog.get_logger()

BATCH = 200
POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One event on its way to a stream."""

    id: UUID
    project_id: ProjectId
    event: str
    """Name of the event, the third token from the end of its subject."""
    entity: UUID
    payload: bytes


def outbox_table(metadata: MetaData) -> Table:
    """Declare a service's outbox beside its tables."""
    return Table(
        "outbox",
        metadata,
        Column("project_id", Uuid, primary_key=True),
        Column("id", Uuid, primary_key=True),
        Column("event", Text, nullable=False),
        Column("entity", Uuid, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("trace", Text),
    )


class Outbox:
    """What a service has announced and the stream does not have yet."""

    def __init__(self, service: str, table: Table, database: Database, bus: Bus) -> None:
        self._service = service
        self._table = table
        self._database = database
        self._bus = bus
        self._news = asyncio.Event()

    async def add(self, tx: Tx, announcements: Sequence[Announcement]) -> None:
        """Write announcements in a transaction; they leave soon after it has committed."""
        if not announcements:
            return
        trace = carried()
        rows = [
            {
                "project_id": one.project_id,
                "id": one.id,
                "event": one.event,
                "entity": one.entity,
                "payload": one.payload,
                "trace": trace,
            }
            for one in announcements
        ]
        await tx.execute(insert(self._table), rows)
        after_commit(tx, self._news.set)

    async def oldest_age(self) -> float:
        """Say for how many seconds the oldest announcement has waited; 0 when none does."""
        waited = func.clock_timestamp() - func.min(self._table.c.created_at)
        async with self._database.transaction() as tx:
            seconds = (await tx.execute(select(func.extract("epoch", waited)))).scalar_one()
        return max(0.0, float(seconds or 0))

    async def run(self) -> None:
        """Publish what is written, for as long as the caller lives."""
        await self._bus.ensure_stream(self._service)
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            try:
                while await self.relay() == BATCH:
                    pass
            except (NatsError, ServiceError, TimeoutError) as error:
                log.warning("outbox_waits", service=self._service, error=repr(error))
                await asyncio.sleep(0.2 + random.random() * 0.3)

    async def relay(self) -> int:
        """Publish one batch, oldest first, and return how many rows it had."""
        table = self._table
        async with self._database.transaction() as tx:
            batch = (
                select(table).order_by(table.c.id).limit(BATCH).with_for_update(skip_locked=True)
            )
            rows = (await tx.execute(batch)).all()
            if not rows:
                return 0
            for row in rows:
                subject = self._bus.subject(
                    self._service, row.event, ProjectId(row.project_id), row.entity
                )
                await self._bus.publish(
                    subject, row.payload, message_id=str(row.id), trace=row.trace
                )
            keys = [(row.project_id, row.id) for row in rows]
            await tx.execute(delete(table).where(tuple_(table.c.project_id, table.c.id).in_(keys)))
        return len(rows)
