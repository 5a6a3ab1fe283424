"""What messages say, put together from rows and from the bytes kept beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from acontext_server.kit.blobs import BlobKey, BlobMissing, Blobs, PublicUrl, Spool
from acontext_server.kit.ids import ProjectId
from acontext_server.session.content import Content, Part, PartType
from acontext_server.session.domain import SERVICE, Log, Message
from acontext_server.session.formats.stored import (
    UNREADABLE,
    MessageContent,
    put_back,
    read_row,
    set_aside,
    unpack,
    unpack_proto,
)
from acontext_server.session.store.messages import StoredMessage, Stretch

_logger = structlog.get_logger()

URLS_LIVE = timedelta(hours=24)
STAND_IN = "[this message cannot be read any more]"
"""What a damaged message says; the others of its session are read as ever."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes of messages, in rows and in Blobs."""

    blobs: Blobs

    async def messages(self, project_id: ProjectId, stretch: Stretch) -> list[Message]:
        """Make messages of the rows of a log."""
        rows, log = stretch.messages, stretch.log
        contents = await self.of(project_id, rows)
        return [to_message(row, one, log) for row, one in zip(rows, contents, strict=True)]

    async def of(self, project_id: ProjectId, rows: Sequence[StoredMessage]) -> list[Content]:
        """Unpack what rows say; one that is damaged says so and spoils no other."""
        try:
            return await self._unpacked(project_id, rows)
        except (BlobMissing, *UNREADABLE):
            return [await self._whatever_is_left(project_id, row) for row in rows]

    async def _whatever_is_left(self, project_id: ProjectId, row: StoredMessage) -> Content:
        try:
            [content] = await self._unpacked(project_id, [row])
        except (BlobMissing, *UNREADABLE) as error:
            _logger.error("message_unreadable", message_id=str(row.id), error=repr(error))
            part = Part(type=PartType.TEXT, text=STAND_IN)
            return Content(role=row.role, parts=(part,), meta={})
        return content

    async def _unpacked(
        self, project_id: ProjectId, rows: Sequence[StoredMessage]
    ) -> list[Content]:
        split = [row for row in rows if not row.is_whole]
        packed = {row.id: unpack_proto(row.content) for row in split}
        await self.put_back(project_id, [*packed.values()])
        return [
            unpack(row.role, packed[row.id])
            if row.id in packed
            else read_row(row.role, row.content)
            for row in rows
        ]

    async def put_back(self, project_id: ProjectId, packed: Sequence[MessageContent]) -> None:
        """Fill in what is kept beside the rows."""
        hashes = {sha256 for content in packed for sha256 in set_aside(content)}
        beside = {sha256: await self.fetch(project_id, sha256) for sha256 in hashes}
        for content in packed:
            put_back(content, beside.__getitem__)

    async def fetch(self, project_id: ProjectId, sha256: str) -> bytes:
        """Read kept bytes."""
        async with self.blobs.open(_key(project_id, sha256)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def put(self, project_id: ProjectId, sha256: str, spool: Spool) -> None:
        """Keep bytes."""
        await self.blobs.put(_key(project_id, sha256), spool)

    def sign(self, project_id: ProjectId, messages: Sequence[Message]) -> dict[str, PublicUrl]:
        """Make public URLs of all uploads of some messages."""
        return {
            part.asset.sha256: self.blobs.public_url(
                _key(project_id, part.asset.sha256),
                expires_in=URLS_LIVE,
                mime=part.asset.mime,
                filename=part.filename,
            )
            for message in messages
            for part in message.content.parts
            if part.asset
        }


def to_message(row: StoredMessage, content: Content, log: Log) -> Message:
    """Put a row, what it says and how far its log is observed together."""
    return Message(
        id=row.id,
        session_id=row.session_id,
        sequence=row.sequence,
        parent_id=row.parent_id,
        content=content,
        tokens=row.tokens,
        status=log.status(row.sequence, row.failure),
        task_id=row.task_id,
        failure=row.failure,
        created_at=row.created_at,
        updated_at=row.observed_at or row.created_at,
    )


def _key(project_id: ProjectId, sha256: str) -> BlobKey:
    return BlobKey(project_id=project_id, service=SERVICE, sha256=sha256)
