"""The tree of a space."""

import builtins
from collections.abc import Mapping
from typing import Any

from .._model import struct_of
from ..space import v1 as pb
from ..types.block import Block
from ..types.tool import InsertBlockResponse
from .connection import AsyncResource, new_request_id


class AsyncBlocksAPI(AsyncResource):
    """Folders and pages, and the skills and texts in pages."""

    async def list(
        self, space_id: str, *, parent_id: str | None = None, block_type: str | None = None
    ) -> builtins.list[Block]:
        """Return the children of a block, or of the root, by type and then sort."""
        request = pb.ListBlocksRequest(space_id=space_id, parent_id=parent_id, type=block_type)
        answer = await self._connection.call(self._stubs.spaces.ListBlocks, request)
        return [Block.of(item) for item in answer.items]

    async def create(
        self,
        space_id: str,
        *,
        block_type: str,
        parent_id: str | None = None,
        title: str | None = None,
        props: Mapping[str, Any] | None = None,
    ) -> InsertBlockResponse:
        """Add a `folder`, `page`, `sop` or `text` at the end of its siblings.

        Folders and pages stand at the root or in a folder, the others in a page: InvalidBlock.
        """
        request = pb.CreateBlockRequest(
            space_id=space_id,
            type=block_type,
            parent_id=parent_id,
            title=title,
            props=struct_of(props),
            request_id=new_request_id(),
        )
        answer = await self._connection.call(self._stubs.spaces.CreateBlock, request)
        return InsertBlockResponse.of(answer)

    async def get_properties(self, space_id: str, block_id: str) -> Block:
        """Return one block. BlockNotFound if there is none."""
        request = pb.GetBlockRequest(space_id=space_id, block_id=block_id)
        answer = await self._connection.call(self._stubs.spaces.GetBlock, request)
        return Block.of(answer.block)

    async def update_properties(
        self,
        space_id: str,
        block_id: str,
        *,
        title: str | None = None,
        props: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace title or props, whichever is given; of a skill it makes a new version."""
        request = pb.UpdateBlockRequest(
            space_id=space_id, block_id=block_id, title=title, props=struct_of(props)
        )
        await self._connection.call(self._stubs.spaces.UpdateBlock, request)

    async def move(
        self,
        space_id: str,
        block_id: str,
        *,
        parent_id: str | None = None,
        sort: int | None = None,
    ) -> None:
        """Put a block under another parent (the root), at a position (the end)."""
        request = pb.MoveBlockRequest(
            space_id=space_id, block_id=block_id, parent_id=parent_id, sort=sort
        )
        await self._connection.call(self._stubs.spaces.MoveBlock, request)

    async def update_sort(self, space_id: str, block_id: str, *, sort: int) -> None:
        """Put a block elsewhere among its siblings, from 0."""
        request = pb.SortBlockRequest(space_id=space_id, block_id=block_id, sort=sort)
        await self._connection.call(self._stubs.spaces.SortBlock, request)

    async def delete(self, space_id: str, block_id: str) -> None:
        """Remove a block with its descendants."""
        request = pb.DeleteBlockRequest(space_id=space_id, block_id=block_id)
        await self._connection.call(self._stubs.spaces.DeleteBlock, request)
