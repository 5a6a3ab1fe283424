"""Putting a lesson into a space: merged into what is known, else placed as a new skill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from acontext_server.kit.database import Tx
from acontext_server.kit.errors import Conflict
from acontext_server.kit.ids import ProjectId
from acontext_server.space.app import NewId, Now
from acontext_server.space.domain.blocks import Block, BlockType, sop_props
from acontext_server.space.domain.events import Event, SkillChanged, SkillLearned
from acontext_server.space.domain.merging import Known, Merge, Verdict, merge
from acontext_server.space.domain.placing import Page, fitting_page, page_title
from acontext_server.space.domain.shelves import (
    AlreadyKnown,
    Arrangement,
    ArrangementRefused,
    Inserted,
    Made,
    Moved,
    Placement,
    Renamed,
    Shelves,
    Superseded,
)
from acontext_server.space.domain.skills import Confirmation, Difficulty, Sop, Source, Version
from acontext_server.space.embedder import Embedder
from acontext_server.space.ranking import embedded_text
from acontext_server.space.store import blocks, skills
from acontext_server.space.vectors import Vectors

NEIGHBOURS = 50
FARTHEST = 2.0

Near = Mapping[UUID, float]
"""Cosine distances of the skills near a lesson."""


@dataclass(frozen=True)
class Taught:
    """A lesson that passed the gate, with where it came from."""

    sop: Sop
    difficulty: Difficulty
    written_by: str
    source: Source | None
    by_person: bool = False
    """Somebody wrote or confirmed it, so that learning may only propose from then on."""


class Library:
    """Writes lessons into spaces; the caller holds the lock of the tree."""

    def __init__(self, *, embedder: Embedder, vectors: Vectors, now: Now, new_id: NewId) -> None:
        self._embedder = embedder
        self._vectors = vectors
        self._now = now
        self._new_id = new_id

    async def near(self, project_id: ProjectId, space_id: UUID, use_when: str) -> Near:
        """Look up the neighbourhood of a lesson, before the transaction that writes it."""
        (vector,) = await self._embedder.embed([embedded_text(use_when)])
        return await self._vectors.query(project_id, space_id, vector, NEIGHBOURS)

    async def merged(
        self, tx: Tx, project_id: ProjectId, space_id: UUID, taught: Taught, near: Near
    ) -> tuple[Merge, Block | None]:
        """Decide what a lesson is to the skills nearby, and read the one it belongs to."""
        alone = (
            await skills.taught_alone_by(tx, project_id, taught.source.task_id)
            if taught.source
            else ()
        )
        found = await blocks.read_blocks(tx, project_id, space_id, {*near, *alone})
        sops = {one: block for one, block in found.items() if block.type is BlockType.SOP}
        former = await skills.former_sops(tx, project_id, sops)
        known = [
            Known(one, block.sop, near.get(one, FARTHEST), former.get(one, ()), one in alone)
            for one, block in sops.items()
        ]
        merge_ = merge(taught.sop, known)
        return merge_, sops[merge_.skill_id] if merge_.skill_id else None

    async def shelves(self, tx: Tx, project_id: ProjectId, space_id: UUID) -> Shelves:
        """Read the tree, for a librarian to look at or to be rearranged."""
        return Shelves(await blocks.all_of_space(tx, project_id, space_id), now=self._now())

    async def place(
        self,
        tx: Tx,
        project_id: ProjectId,
        space_id: UUID,
        taught: Taught,
        placement: Placement,
    ) -> list[Event]:
        """Do what a librarian decided; Conflict when the tree is another one by now."""
        shelves = await self.shelves(tx, project_id, space_id)
        try:
            for arrangement in placement.arrangements:
                shelves.apply(arrangement)
                await self._arrange(tx, project_id, arrangement)
        except ArrangementRefused as error:
            raise Conflict from error
        match placement.decision:
            case Inserted(page_id, after):
                page, before = shelves.find(page_id), shelves.find(after) if after else None
                if page is None or (after and before is None):
                    raise Conflict
                block = await self._insert(tx, project_id, space_id, taught, page_id)
                if before is not None:
                    await blocks.place(tx, project_id, block, page_id, before.sort + 1, self._now())
                return [SkillLearned(space_id, block.id)]
            case AlreadyKnown(skill_id):
                await self._sourced(tx, project_id, _there(shelves, skill_id), taught.source)
                return []
            case Superseded(skill_id, version, sop, contradicts):
                known = _there(shelves, skill_id)
                if known.version != version:
                    raise Conflict
                verdict = Verdict.SUPERSEDED if contradicts else Verdict.IMPROVED
                changed = replace(taught, sop=sop)
                return [await self.rewrite(tx, project_id, known, changed, verdict)]

    async def _arrange(self, tx: Tx, project_id: ProjectId, arrangement: Arrangement) -> None:
        now = self._now()
        match arrangement:
            case Made(block):
                await blocks.insert_block(tx, project_id, block)
            case Moved(block_id, parent_id):
                block = await self._there(tx, project_id, block_id)
                count = await blocks.count_children(tx, project_id, block.space_id, parent_id)
                last = count - 1 if parent_id == block.parent_id else count
                await blocks.place(tx, project_id, block, parent_id, last, now)
            case Renamed(block_id, title):
                block = await self._there(tx, project_id, block_id)
                renamed = replace(block, title=title, updated_at=now)
                await blocks.update_block(tx, project_id, renamed)
                for child in await blocks.children(tx, project_id, block.space_id, block_id):
                    if child.type.has_content:
                        await blocks.reindex(tx, project_id, child, title, now)

    async def _there(self, tx: Tx, project_id: ProjectId, block_id: UUID) -> Block:
        block = await blocks.find_block(tx, project_id, block_id)
        if block is None:
            raise Conflict
        return block

    async def keep(
        self,
        tx: Tx,
        project_id: ProjectId,
        space_id: UUID,
        taught: Taught,
        near: Near,
    ) -> list[Event]:
        """Merge a lesson into a skill, or place it as a new one."""
        merge_, block = await self.merged(tx, project_id, space_id, taught, near)
        if block is None:
            return [await self._placed(tx, project_id, space_id, taught, near)]
        if merge_.verdict is Verdict.SAME:
            await self._sourced(tx, project_id, block, taught.source)
            return []
        changed = replace(taught, sop=merge_.sop)
        return [await self.rewrite(tx, project_id, block, changed, merge_.verdict)]

    async def is_certain(
        self, tx: Tx, project_id: ProjectId, space_id: UUID, taught: Taught, near: Near
    ) -> bool:
        """Say whether nobody needs to be asked: it is known word by word, or by this very task."""
        _, block = await self.merged(tx, project_id, space_id, taught, near)
        if block is None:
            return False
        source = taught.source
        alone = await skills.taught_alone_by(tx, project_id, source.task_id) if source else ()
        return block.id in alone or taught.sop.says_the_same(block.sop)

    async def skill(self, tx: Tx, project_id: ProjectId, skill_id: UUID) -> Block | None:
        """Read a skill as it is now."""
        return await blocks.find_block(tx, project_id, skill_id)

    async def rewrite(
        self, tx: Tx, project_id: ProjectId, block: Block, taught: Taught, change: str
    ) -> Event:
        """Give a skill its next version."""
        now = self._now()
        changed = replace(
            block,
            title=taught.sop.use_when,
            props=sop_props(taught.sop),
            version=block.version + 1,
            by_person=block.by_person or taught.by_person,
            updated_at=now,
        )
        await blocks.update_block(tx, project_id, changed)
        await self._versioned(tx, project_id, changed, taught, change)
        return SkillChanged(block.space_id, block.id, changed.version)

    async def propose(
        self,
        tx: Tx,
        project_id: ProjectId,
        space_id: UUID,
        taught: Taught,
        skill_id: UUID | None,
    ) -> bool:
        """Let a lesson wait for a person; False if the same text waits already."""
        waiting = await skills.sops_waiting(tx, project_id, space_id)
        if any(taught.sop.says_the_same(one) for one in waiting):
            return False
        confirmation = Confirmation(
            id=self._new_id(),
            space_id=space_id,
            sop=taught.sop,
            written_by=taught.written_by,
            difficulty=taught.difficulty,
            source=taught.source,
            skill_id=skill_id,
            created_at=self._now(),
        )
        await skills.insert_confirmation(tx, project_id, space_id, confirmation)
        return True

    async def _placed(
        self, tx: Tx, project_id: ProjectId, space_id: UUID, taught: Taught, near: Near
    ) -> Event:
        page_id = await self._page(tx, project_id, space_id, taught.sop.use_when, near)
        block = await self._insert(tx, project_id, space_id, taught, page_id)
        return SkillLearned(space_id, block.id)

    async def _insert(
        self, tx: Tx, project_id: ProjectId, space_id: UUID, taught: Taught, page_id: UUID
    ) -> Block:
        now = self._now()
        block = Block(
            id=self._new_id(),
            space_id=space_id,
            type=BlockType.SOP,
            parent_id=page_id,
            title=taught.sop.use_when,
            props=sop_props(taught.sop),
            sort=0,
            version=1,
            by_person=taught.by_person,
            created_at=now,
            updated_at=now,
        )
        inserted = await blocks.insert_block(tx, project_id, block)
        await self._versioned(tx, project_id, inserted, taught, "created")
        return inserted

    async def _page(
        self, tx: Tx, project_id: ProjectId, space_id: UUID, use_when: str, near: Near
    ) -> UUID:
        found = await blocks.pages(tx, project_id, space_id)
        beside = await blocks.read_blocks(tx, project_id, space_id, near)
        pages = [Page(page.id, page.title, _nearest(page, beside, near)) for page in found]
        fitting = fitting_page(use_when, pages)
        return fitting.id if fitting else await self._new_page(tx, project_id, space_id, use_when)

    async def _new_page(self, tx: Tx, project_id: ProjectId, space_id: UUID, use_when: str) -> UUID:
        siblings = await blocks.children(tx, project_id, space_id, None)
        now = self._now()
        page = Block(
            id=self._new_id(),
            space_id=space_id,
            type=BlockType.PAGE,
            parent_id=None,
            title=page_title(use_when, {one.title for one in siblings}),
            sort=0,
            created_at=now,
            updated_at=now,
        )
        await blocks.insert_block(tx, project_id, page)
        return page.id

    async def _versioned(
        self, tx: Tx, project_id: ProjectId, block: Block, taught: Taught, change: str
    ) -> None:
        now = self._now()
        version = Version(
            version=block.version,
            sop=taught.sop,
            written_by=taught.written_by,
            change=change,
            created_at=now,
            difficulty=taught.difficulty,
        )
        await skills.insert_version(tx, project_id, block.id, version)
        await self._sourced(tx, project_id, block, taught.source)
        await skills.know_tools(tx, project_id, taught.sop.tool_names)
        page = await blocks.find_block(tx, project_id, block.parent_id) if block.parent_id else None
        await blocks.reindex(tx, project_id, block, page.title if page else "", now)

    async def _sourced(
        self, tx: Tx, project_id: ProjectId, block: Block, source: Source | None
    ) -> None:
        if source is not None:
            await skills.insert_source(tx, project_id, block.id, block.version, source)


def _there(shelves: Shelves, skill_id: UUID) -> Block:
    block = shelves.find(skill_id)
    if block is None:
        raise Conflict
    return block


def _nearest(page: Block, beside: Mapping[UUID, Block], near: Near) -> float:
    inside: Sequence[float] = [
        near[one] for one, block in beside.items() if block.parent_id == page.id
    ]
    return min(inside, default=FARTHEST)
