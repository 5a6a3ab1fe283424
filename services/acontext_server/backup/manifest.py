"""What an archive says of itself, and where it fits."""

from datetime import UTC, datetime
from uuid import UUID

from psycopg import sql
from psycopg.errors import UndefinedTable
from pydantic import BaseModel, ValidationError

from acontext_server.backup.installation import ALL, fingerprint, kept_secrets
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Raw
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.transfer import ArchiveBroken, ArchiveReader

FORMAT = 1


class Refused(Exception):
    """What cannot be carried from here or to here; the text says why and what to do."""


class Manifest(BaseModel):
    """What an archive says of itself."""

    format: int
    project_id: UUID | None
    """The one project that it holds; None when it is of a whole installation."""
    made_at: datetime
    heads: dict[str, str]
    """The revision of each service's schema."""
    tables: dict[str, list[str]]
    """The columns of each, in the order in which rows come."""
    secret: str
    """A fingerprint of what keys are hashed with."""
    kept_secrets: dict[str, str]
    """Secrets of an embedded installation, which would be lost with its folder."""


async def make_manifest(
    snapshot: Raw, settings: Settings, project_id: ProjectId | None
) -> Manifest:
    """Describe what is going to be written."""
    whole = project_id is None
    return Manifest(
        format=FORMAT,
        project_id=project_id,
        made_at=datetime.now(UTC),
        heads=await _heads(snapshot),
        tables={
            table.fullname: [column.name for column in table.columns]
            for holdings in ALL
            for table in holdings.tables(whole=whole)
        },
        secret=fingerprint(settings),
        kept_secrets=kept_secrets(settings) if whole else {},
    )


async def read_manifest(reader: ArchiveReader) -> Manifest:
    """Read what an archive says of itself; to be called first."""
    try:
        manifest = Manifest.model_validate(await reader.manifest())
    except ValidationError as error:
        raise ArchiveBroken("this is no archive that this version knows") from error
    if manifest.format != FORMAT:
        raise Refused(f"the archive has format {manifest.format}, this version reads {FORMAT}")
    return manifest


async def refuse_unfit(connection: Raw, manifest: Manifest) -> None:
    """Raise Refused where an archive cannot be read into."""
    condition: sql.Composable = sql.SQL("true")
    if manifest.project_id is not None:
        if await _heads(connection) != manifest.heads:
            raise Refused(
                "the archive was made by another version: restore a backup of that installation"
                " into an empty one of this version, and export the project from there"
            )
        condition = sql.SQL("project_id = {}").format(sql.Literal(manifest.project_id))
    for name in manifest.tables:
        question = sql.SQL("select exists (select from {} where {})").format(
            sql.Identifier(*name.split(".")), condition
        )
        found = await (await connection.execute(question)).fetchone()
        if found and found[0]:
            raise Refused(
                f"the installation is not empty, there are rows in {name}"
                if manifest.project_id is None
                else f"project {manifest.project_id} is here already; delete it first"
            )


async def _heads(connection: Raw) -> dict[str, str]:
    heads = {}
    for holdings in ALL:
        question = sql.SQL("select version_num from {}").format(
            sql.Identifier(holdings.service, "alembic_version")
        )
        try:
            row = await (await connection.execute(question)).fetchone()
        except UndefinedTable:
            raise Refused("nothing was ever started on this database: start it first") from None
        heads[holdings.service] = str(row[0]) if row else ""
    return heads
