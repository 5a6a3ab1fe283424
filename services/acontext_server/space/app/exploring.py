"""A space's tree as an agent walks through it: short looks, nothing held in between."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from acontext_server.kit.database import Database
from acontext_server.kit.ids import ProjectId
from acontext_server.space.domain.blocks import Block
from acontext_server.space.domain.text import content_words
from acontext_server.space.store import blocks

Wanted = Callable[[Block], bool]
Alike = Callable[[str], Awaitable[Sequence[Block]]]


class SpaceTree:
    """One space, without what a search leaves out."""

    def __init__(
        self,
        database: Database,
        project_id: ProjectId,
        space_id: UUID,
        *,
        wanted: Wanted,
        alike: Alike,
    ) -> None:
        self._database = database
        self._project_id = project_id
        self._space_id = space_id
        self._wanted = wanted
        self._alike = alike

    async def children(self, parent_id: UUID | None) -> Sequence[Block]:
        """Read what stands directly below a block, or at the top."""
        async with self._database.transaction() as tx:
            found = await blocks.children(tx, self._project_id, self._space_id, parent_id)
        return [one for one in found if self._is_shown(one)]

    async def titled(self, words: str) -> Sequence[Block]:
        """Find blocks by words of their titles, those with most of them first."""
        asked = set(content_words(words))
        async with self._database.transaction() as tx:
            found = await blocks.all_of_space(tx, self._project_id, self._space_id)
        shared = [(len(asked & set(content_words(one.title))), one) for one in found]
        best = sorted(shared, key=lambda pair: -pair[0])
        return [one for count, one in best if count and self._is_shown(one)]

    async def alike(self, query: str) -> Sequence[Block]:
        """Find what is for something like this."""
        return await self._alike(query)

    def _is_shown(self, block: Block) -> bool:
        return not block.archived and (not block.type.has_content or self._wanted(block))
