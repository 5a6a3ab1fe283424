"""Which bytes are needed by which message.

Bytes are put into Blobs before the message that needs them is committed, and removed after the last
one that does is gone. Both lock the bytes' row, so that what a writer counts on is never removed:
a writer first notes a use that expires, then puts the bytes, then makes the use last.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Raw, Tx, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import MessageId, SessionId
from acontext_server.session.store.tables import BlobRow, BlobUseRow


async def intend(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    message_id: MessageId,
    hashes: Iterable[str],
    *,
    until: datetime,
) -> None:
    """Note that a message is going to need bytes, before they are put."""
    hashes = sorted(hashes)
    blobs = [{"project_id": project_id, "sha256": sha256} for sha256 in hashes]
    for blob in blobs:
        # Updating to itself locks: a removal that is under way is waited for.
        locked = (
            insert(BlobRow)
            .values(blob)
            .on_conflict_do_update(constraint="blob_pkey", set_={"sha256": blob["sha256"]})
        )
        await tx.execute(locked)
    message = {"message_id": message_id, "session_id": session_id, "expires_at": until}
    await tx.execute(insert(BlobUseRow), [{**blob, **message} for blob in blobs])


_KEEP = """
UPDATE session.blob_use SET expires_at = NULL WHERE project_id = %s AND message_id = %s
RETURNING 1
"""


async def keep(tx: Tx | Raw, project_id: ProjectId, message_id: MessageId) -> int:
    """Make the uses of a stored message last, and count them."""
    return len(await fetch(tx, _KEEP, (project_id, message_id)))


async def release_session(tx: Tx, project_id: ProjectId, session_id: SessionId) -> None:
    """Let the uses of a deleted session expire now."""
    released = (
        update(BlobUseRow)
        .where(BlobUseRow.project_id == project_id, BlobUseRow.session_id == session_id)
        .values(expires_at=func.clock_timestamp() - timedelta(seconds=1))
    )
    await tx.execute(released)


async def list_expired(tx: Tx, limit: int) -> Sequence[tuple[ProjectId, str]]:
    """Name bytes, of all projects, that a message needed and needs no longer."""
    query = (
        select(BlobUseRow.project_id, BlobUseRow.sha256)
        .where(BlobUseRow.expires_at < func.clock_timestamp())
        .distinct()
        .limit(limit)
    )
    return [(ProjectId(row.project_id), row.sha256) for row in await tx.execute(query)]


async def lock_unneeded(tx: Tx, project_id: ProjectId, sha256: str) -> bool:
    """Forget expired uses of bytes, and lock them if nobody needs them any more."""
    blob = select(BlobRow.sha256).where(BlobRow.project_id == project_id, BlobRow.sha256 == sha256)
    if (await tx.execute(blob.with_for_update())).first() is None:
        return False
    uses = and_(BlobUseRow.project_id == project_id, BlobUseRow.sha256 == sha256)
    await tx.execute(delete(BlobUseRow).where(uses, BlobUseRow.expires_at < func.clock_timestamp()))
    needed = select(exists().where(uses))
    return not (await tx.execute(needed)).scalar_one()


async def forget(tx: Tx, project_id: ProjectId, sha256: str) -> None:
    """Forget bytes that were removed."""
    await tx.execute(
        delete(BlobRow).where(BlobRow.project_id == project_id, BlobRow.sha256 == sha256)
    )
