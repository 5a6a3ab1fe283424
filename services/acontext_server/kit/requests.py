"""Request ids: a retried Create or Store gets the first answer for 24 hours."""

import hashlib
from datetime import datetime
from uuid import UUID

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
    select,
)
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.errors import RequestIdReused
from acontext_server.kit.ids import ProjectId


def request_table(metadata: MetaData) -> Table:
    """Declare a service's table of request ids beside its tables."""
    return Table(
        "request",
        metadata,
        Column("project_id", Uuid, primary_key=True),
        Column("method", Text, primary_key=True),
        Column("request_id", Uuid, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("answer_id", Uuid, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


def digest_of(*contents: bytes) -> bytes:
    """Tell one request from another."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()


async def claim(
    tx: Tx,
    table: Table,
    *,
    project_id: ProjectId,
    method: str,
    request_id: UUID,
    digest: bytes,
    answer_id: UUID,
) -> UUID | None:
    """Claim a request id for an answer, or return the id of the first answer.

    Of several callers at the same moment one claims; the others wait for its transaction. Raises
    RequestIdReused when the id came with another request.
    """
    row = {
        "project_id": project_id,
        "method": method,
        "request_id": request_id,
        "digest": digest,
        "answer_id": answer_id,
    }
    claimed = insert(table).values(row).on_conflict_do_nothing().returning(table.c.answer_id)
    if (await tx.execute(claimed)).scalar() is not None:
        return None
    first = select(table.c.digest, table.c.answer_id).where(
        table.c.project_id == project_id,
        table.c.method == method,
        table.c.request_id == request_id,
    )
    found = (await tx.execute(first)).one()
    if found.digest != digest:
        raise RequestIdReused(str(request_id))
    return UUID(str(found.answer_id))


async def forget(tx: Tx, table: Table, *, before: datetime) -> None:
    """Forget request ids that are older than a time."""
    await tx.execute(delete(table).where(table.c.created_at < before))
