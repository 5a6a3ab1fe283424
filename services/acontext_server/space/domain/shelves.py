"""The tree of a space as an agent rearranges it: what may be done, worked out before it is.

An arrangement is planned on a copy of the tree and repeated on the tree itself in the transaction
that keeps the lesson, by the same rules.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from acontext_server.space.domain.blocks import Block, BlockType
from acontext_server.space.domain.placing import MOST_TITLE_WORDS
from acontext_server.space.domain.skills import Sop

CROWDED = 5
"""A folder with more pages than this may have folders in it."""
LONGEST_TITLE = 60


class ArrangementRefused(Exception):
    """It breaks a rule of the tree; the text tells which one."""


@dataclass(frozen=True)
class Made:
    """A new folder or page."""

    block: Block


@dataclass(frozen=True)
class Moved:
    """A folder or page stands in another folder, or at the top."""

    block_id: UUID
    parent_id: UUID | None


@dataclass(frozen=True)
class Renamed:
    """A folder or page has another title."""

    block_id: UUID
    title: str


Arrangement = Made | Moved | Renamed


@dataclass(frozen=True)
class Inserted:
    """The lesson is a new skill of a page, behind another one or at the end."""

    page_id: UUID
    after: UUID | None = None


@dataclass(frozen=True)
class AlreadyKnown:
    """A skill says what the lesson says: it has one more source."""

    skill_id: UUID


@dataclass(frozen=True)
class Superseded:
    """A skill reads otherwise from now on."""

    skill_id: UUID
    version: int
    """Of the skill, as it was read."""
    sop: Sop
    contradicts: bool


Decision = Inserted | AlreadyKnown | Superseded


@dataclass(frozen=True)
class Placement:
    """What becomes of a lesson, and of the tree for its sake."""

    decision: Decision
    arrangements: tuple[Arrangement, ...] = ()


class Shelves:
    """A copy of a space's tree, without what is archived."""

    def __init__(self, blocks: Iterable[Block], *, now: datetime) -> None:
        self._blocks = {block.id: block for block in blocks if not block.archived}
        self._now = now

    def skills(self) -> Sequence[Block]:
        """All skills."""
        return [one for one in self._blocks.values() if one.type is BlockType.SOP]

    def find(self, block_id: UUID) -> Block | None:
        """Give a block that is there."""
        return self._blocks.get(block_id)

    def children(self, parent_id: UUID | None) -> Sequence[Block]:
        """What stands directly in a folder or page, or at the top, in its order."""
        found = (one for one in self._blocks.values() if one.parent_id == parent_id)
        return sorted(found, key=lambda one: (one.type.has_content, one.sort, one.created_at))

    def path(self, block_id: UUID | None) -> str:
        """Name a folder or page by the titles from the top down; the top has no name."""
        titles: list[str] = []
        while block_id is not None and (block := self._blocks.get(block_id)):
            titles.append(block.title)
            block_id = block.parent_id
        return "/".join(reversed(titles))

    def at(self, path: str) -> Block:
        """Find a folder or page by its path."""
        for block in self._blocks.values():
            if not block.type.has_content and self.path(block.id) == path.strip("/ "):
                return block
        raise ArrangementRefused(f"there is no folder or page {path!r}")

    def made(self, kind: BlockType, path: str, new_id: Callable[[], UUID], space_id: UUID) -> Made:
        """Plan a new folder or page at a path whose last part is its title."""
        above, _, title = path.strip("/ ").rpartition("/")
        parent = self.at(above) if above else None
        block = Block(
            id=new_id(),
            space_id=space_id,
            type=kind,
            parent_id=parent.id if parent else None,
            title=spelled(title),
            sort=len(self.children(parent.id if parent else None)),
            created_at=self._now,
            updated_at=self._now,
        )
        return Made(block)

    def apply(self, arrangement: Arrangement) -> None:
        """Make one change of the tree, or raise ArrangementRefused."""
        match arrangement:
            case Made(block):
                self._check_parent(block.type, block.parent_id)
                self._check_title(block.title, block.parent_id)
                self._blocks[block.id] = block
            case Moved(block_id, parent_id):
                block = self._changeable(block_id)
                self._check_parent(block.type, parent_id, moving=block_id)
                self._check_title(block.title, parent_id)
                self._blocks[block_id] = replace(block, parent_id=parent_id)
            case Renamed(block_id, title):
                block = self._changeable(block_id)
                self._check_title(title, block.parent_id)
                self._blocks[block_id] = replace(block, title=title)

    def _changeable(self, block_id: UUID) -> Block:
        block = self._blocks.get(block_id)
        if block is None or block.type.has_content:
            raise ArrangementRefused("there is no such folder or page any more")
        if block.by_person:
            raise ArrangementRefused(f"a person made {block.title!r}, it stays as it is")
        return block

    def _check_parent(
        self, kind: BlockType, parent_id: UUID | None, moving: UUID | None = None
    ) -> None:
        if parent_id is None:
            return
        parent = self._blocks.get(parent_id)
        if parent is None or parent.type is not BlockType.FOLDER:
            raise ArrangementRefused("folders and pages stand in a folder or at the top")
        if moving is not None and moving in self._above(parent_id):
            raise ArrangementRefused("a folder cannot stand in itself or below")
        pages = sum(one.type is BlockType.PAGE for one in self.children(parent_id))
        if kind is BlockType.FOLDER and pages <= CROWDED:
            raise ArrangementRefused(
                f"{parent.title!r} has {pages} pages; it gets folders when it has more than"
                f" {CROWDED}"
            )

    def _above(self, block_id: UUID | None) -> Sequence[UUID]:
        above: list[UUID] = []
        while block_id is not None:
            above.append(block_id)
            block_id = self._blocks[block_id].parent_id
        return above

    def _check_title(self, title: str, parent_id: UUID | None) -> None:
        siblings = [one for one in self.children(parent_id) if not one.type.has_content]
        if any(one.title.casefold() == title.casefold() for one in siblings):
            raise ArrangementRefused(f"there is a {title!r} already in that place; use that one")


def spelled(title: str) -> str:
    """Spell a title in snake_case, or raise ArrangementRefused where it is none."""
    words = re.findall(r"[^\W_]+", title.replace("'", "").casefold())
    if not words or len(words) > MOST_TITLE_WORDS:
        raise ArrangementRefused(f"a title has 1 to {MOST_TITLE_WORDS} words, {title!r} has not")
    joined = "_".join(words)
    if len(joined) > LONGEST_TITLE:
        raise ArrangementRefused(f"a title has at most {LONGEST_TITLE} characters")
    return joined


def needed(arrangements: Sequence[Arrangement], decision: Decision) -> tuple[Arrangement, ...]:
    """Leave out what would stay empty."""
    kept: list[Arrangement] = []
    used: set[UUID | None] = {decision.page_id} if isinstance(decision, Inserted) else set()
    for one in reversed(arrangements):
        match one:
            case Made(block) if block.id not in used:
                continue
            case Made(block):
                used.add(block.parent_id)
            case Moved(_, parent_id):
                used.add(parent_id)
            case Renamed(block_id):
                used.add(block_id)
        kept.append(one)
    return tuple(reversed(kept))
