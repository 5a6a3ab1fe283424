"""Building a space's tree by hand. What a person writes, learning does not overwrite."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from acontext_server.kit import requests
from acontext_server.kit.database import Database, Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.space.app import Announce, NewId, Now, RequestKey
from acontext_server.space.domain.blocks import (
    Block,
    BlockType,
    check_no_cycle,
    check_place,
    clamp,
    props_for,
    title_for,
)
from acontext_server.space.domain.errors import BlockNotFound, SpaceNotFound
from acontext_server.space.domain.events import Event, SkillChanged, SkillLearned, SkillRemoved
from acontext_server.space.domain.skills import Version
from acontext_server.space.domain.spaces import PERSON
from acontext_server.space.store import blocks, skills, spaces, tables


class BlockApp:
    """The verbs of blocks. Changes of one tree happen one after the other."""

    def __init__(self, database: Database, *, announce: Announce, now: Now, new_id: NewId) -> None:
        self._database = database
        self._announce = announce
        self._now = now
        self._new_id = new_id

    async def list_blocks(
        self,
        project_id: ProjectId,
        space_id: UUID,
        parent_id: UUID | None,
        kind: BlockType | None,
    ) -> Sequence[Block]:
        """Read the children of a block, or of the root."""
        async with self._database.transaction() as tx:
            if await spaces.find_space(tx, project_id, space_id) is None:
                raise SpaceNotFound(space_id)
            above = ""
            if parent_id is not None:
                parent = await _found(tx, project_id, space_id, parent_id)
                above = await _path(tx, project_id, parent)
            found = await blocks.children(tx, project_id, space_id, parent_id, kind)
        return [_with_path(block, _joined(above, block.title)) for block in found]

    async def get_block(self, project_id: ProjectId, space_id: UUID, block_id: UUID) -> Block:
        """Read one block."""
        async with self._database.transaction() as tx:
            block = await _found(tx, project_id, space_id, block_id)
            return _with_path(block, await _path(tx, project_id, block))

    async def create_block(
        self,
        project_id: ProjectId,
        space_id: UUID,
        *,
        kind: BlockType,
        parent_id: UUID | None,
        title: str,
        props: Mapping[str, Any],
        request: RequestKey | None,
    ) -> UUID:
        """Add a block at the end of its siblings; a sop is a skill written by a person."""
        now = self._now()
        block = Block(
            id=self._new_id(),
            space_id=space_id,
            type=kind,
            parent_id=parent_id,
            title=title_for(kind, title),
            props=props_for(kind, props),
            sort=0,
            version=1 if kind is BlockType.SOP else 0,
            by_person=True,
            created_at=now,
            updated_at=now,
        )
        async with self._database.transaction() as tx:
            await self._lock(tx, project_id, space_id)
            first = await self._claimed(tx, project_id, request, block.id)
            if first is not None:
                return first
            parent = await _found(tx, project_id, space_id, parent_id) if parent_id else None
            check_place(kind, parent.type if parent else None)
            await blocks.insert_block(tx, project_id, block)
            await self._written(tx, project_id, block, "created")
        return block.id

    async def update_block(
        self,
        project_id: ProjectId,
        space_id: UUID,
        block_id: UUID,
        *,
        title: str | None,
        props: Mapping[str, Any] | None,
    ) -> None:
        """Replace title and props; what is None or empty is left alone."""
        async with self._database.transaction() as tx:
            await self._lock(tx, project_id, space_id)
            block = await _found(tx, project_id, space_id, block_id)
            changed = replace(
                block,
                title=title_for(block.type, title) if title else block.title,
                props=props_for(block.type, props) if props is not None else block.props,
                by_person=True,
                updated_at=self._now(),
            )
            if block.type is BlockType.SOP:
                changed = replace(changed, version=block.version + 1)
            await blocks.update_block(tx, project_id, changed)
            await self._written(tx, project_id, changed, "edited")

    async def move_block(
        self,
        project_id: ProjectId,
        space_id: UUID,
        block_id: UUID,
        parent_id: UUID | None,
        sort: int | None,
    ) -> None:
        """Put a block under another parent, or at the end of its own."""
        async with self._database.transaction() as tx:
            await self._lock(tx, project_id, space_id)
            block = await _found(tx, project_id, space_id, block_id)
            parent = await _found(tx, project_id, space_id, parent_id) if parent_id else None
            check_place(block.type, parent.type if parent else None)
            above = await blocks.ancestors(tx, project_id, parent.id) if parent else []
            check_no_cycle(block_id, [one for one, _, _ in above])
            await self._place(tx, project_id, block, parent_id, sort)

    async def sort_block(
        self, project_id: ProjectId, space_id: UUID, block_id: UUID, sort: int
    ) -> None:
        """Put a block elsewhere among its siblings."""
        async with self._database.transaction() as tx:
            await self._lock(tx, project_id, space_id)
            block = await _found(tx, project_id, space_id, block_id)
            await self._place(tx, project_id, block, block.parent_id, sort)

    async def delete_block(self, project_id: ProjectId, space_id: UUID, block_id: UUID) -> None:
        """Remove a block with its descendants."""
        async with self._database.transaction() as tx:
            await self._lock(tx, project_id, space_id)
            block = await _found(tx, project_id, space_id, block_id)
            gone = await blocks.content_below(tx, project_id, block_id)
            await blocks.intend(tx, project_id, space_id, gone, self._now())
            await blocks.delete_block(tx, project_id, block)
            events: list[Event] = [SkillRemoved(space_id, one) for one in gone]
            await self._announce(tx, project_id, events)

    async def _lock(self, tx: Tx, project_id: ProjectId, space_id: UUID) -> None:
        if not await spaces.lock_tree(tx, project_id, space_id):
            raise SpaceNotFound(space_id)

    async def _claimed(
        self, tx: Tx, project_id: ProjectId, request: RequestKey | None, answer_id: UUID
    ) -> UUID | None:
        if request is None:
            return None
        return await requests.claim(
            tx,
            tables.request,
            project_id=project_id,
            method=request.method,
            request_id=request.request_id,
            digest=request.digest,
            answer_id=answer_id,
        )

    async def _place(
        self,
        tx: Tx,
        project_id: ProjectId,
        block: Block,
        parent_id: UUID | None,
        sort: int | None,
    ) -> None:
        count = await blocks.count_children(tx, project_id, block.space_id, parent_id)
        last = count - 1 if parent_id == block.parent_id else count
        position = clamp(last if sort is None else sort, last)
        await blocks.place(tx, project_id, block, parent_id, position, self._now())
        if parent_id != block.parent_id and block.type.has_content:
            await self._reindex(tx, project_id, replace(block, parent_id=parent_id))

    async def _written(self, tx: Tx, project_id: ProjectId, block: Block, change: str) -> None:
        """Let versions and index follow what a person wrote."""
        if block.type is BlockType.SOP:
            sop, now = block.sop, block.updated_at
            version = Version(block.version, sop, PERSON, change, now)
            await skills.insert_version(tx, project_id, block.id, version)
            await skills.know_tools(tx, project_id, sop.tool_names)
            event = (
                SkillLearned(block.space_id, block.id)
                if block.version == 1
                else SkillChanged(block.space_id, block.id, block.version)
            )
            await self._announce(tx, project_id, [event])
        if block.type.has_content:
            await self._reindex(tx, project_id, block)
        elif block.type is BlockType.PAGE:
            for child in await blocks.children(tx, project_id, block.space_id, block.id):
                await self._reindex(tx, project_id, child)

    async def _reindex(self, tx: Tx, project_id: ProjectId, block: Block) -> None:
        page = await blocks.find_block(tx, project_id, block.parent_id) if block.parent_id else None
        title = page.title if page else ""
        await blocks.reindex(tx, project_id, block, title, self._now())


async def _found(tx: Tx, project_id: ProjectId, space_id: UUID, block_id: UUID) -> Block:
    block = await blocks.find_block(tx, project_id, block_id)
    if block is None or block.space_id != space_id:
        raise BlockNotFound(block_id)
    return block


async def _path(tx: Tx, project_id: ProjectId, block: Block) -> str:
    above = await blocks.ancestors(tx, project_id, block.id)
    return "/".join(title for _, _, title in above)


def _joined(above: str, title: str) -> str:
    return f"{above}/{title}" if above else title


def _with_path(block: Block, path: str) -> Block:
    if block.type is not BlockType.FOLDER:
        return block
    return replace(block, props={**block.props, "path": path})
