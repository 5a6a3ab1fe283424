"""Who still has to forget a user or a project."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, insert, select

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import UserId
from acontext_server.session.store.tables import DeletionRow


async def expect(
    tx: Tx,
    project_id: ProjectId,
    subject_id: UUID,
    services: Iterable[str],
    *,
    identifier: str | None = None,
) -> None:
    """Remember who has to forget a user, whose identifier this is, or a project."""
    known = {"project_id": project_id, "subject_id": subject_id, "identifier": identifier}
    rows = [{**known, "service": service} for service in services]
    await tx.execute(insert(DeletionRow), rows)


async def confirm(tx: Tx, project_id: ProjectId, subject_id: UUID, service: str) -> bool:
    """Note that a service has forgotten; False if that was known or never asked.

    Of several services that confirm at once, the last to commit sees that it is the last.
    """
    subject = (DeletionRow.project_id == project_id, DeletionRow.subject_id == subject_id)
    locked = select(DeletionRow.service).where(*subject).order_by(DeletionRow.service)
    await tx.execute(locked.with_for_update())
    confirmed = delete(DeletionRow).where(*subject, DeletionRow.service == service)
    return (await tx.execute(confirmed.returning(DeletionRow.service))).first() is not None


async def find_user(tx: Tx, project_id: ProjectId, identifier: str) -> UserId | None:
    """Find the user of this identifier that was deleted last and is not forgotten everywhere."""
    query = (
        select(DeletionRow.subject_id)
        .where(DeletionRow.project_id == project_id, DeletionRow.identifier == identifier)
        .order_by(DeletionRow.subject_id.desc())
        .limit(1)
    )
    found = (await tx.execute(query)).scalar()
    return UserId(found) if found else None


async def waiting_for(tx: Tx, project_id: ProjectId, subject_id: UUID) -> list[str]:
    """Name the services that have not confirmed; nobody is left once it is over."""
    query = select(DeletionRow.service).where(
        DeletionRow.project_id == project_id, DeletionRow.subject_id == subject_id
    )
    return sorted((await tx.execute(query)).scalars())
