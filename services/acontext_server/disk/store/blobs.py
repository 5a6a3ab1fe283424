"""Which bytes are needed: decision 0010 in queries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select, union, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.disk.store.tables import ArtifactRow, BlobRow, ClaimRow
from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId


async def claim(
    tx: Tx, project_id: ProjectId, claim_id: UUID, sha256: str, *, until: datetime
) -> None:
    """Keep bytes from being removed; call it before they are put."""
    row = {"project_id": project_id, "sha256": sha256}
    # Updating the row to itself locks it: a removal that is under way is waited for.
    kept = (
        insert(BlobRow)
        .values(row)
        .on_conflict_do_update(constraint="blob_pkey", set_={"sha256": sha256})
    )
    await tx.execute(kept)
    await tx.execute(insert(ClaimRow).values(row | {"claim_id": claim_id, "expires_at": until}))


async def end_claim(tx: Tx, project_id: ProjectId, claim_id: UUID) -> None:
    """Need the bytes no longer, or by an artifact instead."""
    ended = delete(ClaimRow).where(ClaimRow.project_id == project_id, ClaimRow.claim_id == claim_id)
    await tx.execute(ended)


async def set_text(tx: Tx, project_id: ProjectId, sha256: str, text: str) -> None:
    """Note the text of bytes for searching, once."""
    noted = (
        update(BlobRow)
        .where(BlobRow.project_id == project_id, BlobRow.sha256 == sha256, BlobRow.text.is_(None))
        .values(text=text)
    )
    await tx.execute(noted)


async def end_expired_claims(tx: Tx, *, before: datetime) -> None:
    """Forget the claims, of all projects, that uploads left behind when they were killed."""
    await tx.execute(delete(ClaimRow).where(ClaimRow.expires_at < before))


async def list_unneeded(tx: Tx, limit: int) -> Sequence[tuple[ProjectId, str]]:
    """Name bytes, of all projects, that nothing refers to."""
    query = (
        select(BlobRow.project_id, BlobRow.sha256)
        .where(
            ~exists().where(
                ArtifactRow.project_id == BlobRow.project_id, ArtifactRow.sha256 == BlobRow.sha256
            ),
            ~exists().where(
                ClaimRow.project_id == BlobRow.project_id, ClaimRow.sha256 == BlobRow.sha256
            ),
        )
        .limit(limit)
    )
    return [(ProjectId(row.project_id), row.sha256) for row in await tx.execute(query)]


async def lock_unneeded(tx: Tx, project_id: ProjectId, hashes: Sequence[str]) -> list[str]:
    """Lock those of some bytes that nothing refers to, and name them.

    The question is asked after the locks are held: asked together, it would not see a claim that
    was committed while the lock was waited for.
    """
    locked = (
        select(BlobRow.sha256)
        .where(BlobRow.project_id == project_id, BlobRow.sha256.in_(hashes))
        .with_for_update(skip_locked=True)
    )
    candidates = set((await tx.execute(locked)).scalars())
    references = union(
        *(
            select(table.sha256).where(table.project_id == project_id, table.sha256.in_(candidates))
            for table in (ArtifactRow, ClaimRow)
        )
    )
    needed = set((await tx.execute(references)).scalars())
    return sorted(candidates - needed)


async def forget(tx: Tx, project_id: ProjectId, hashes: Sequence[str]) -> None:
    """Remove the rows of bytes that were removed."""
    await tx.execute(
        delete(BlobRow).where(BlobRow.project_id == project_id, BlobRow.sha256.in_(hashes))
    )
