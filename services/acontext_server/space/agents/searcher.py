"""Searching by a chat model that explores the tree of a space."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import Field

from acontext_server.kit.model import ModelFailed, Models
from acontext_server.kit.model.instructions import read_instructions
from acontext_server.kit.model.loop import NotDone, Work, work
from acontext_server.kit.model.quoting import in_one_line, quoted
from acontext_server.kit.model.tools import Function, Line, Refused
from acontext_server.space.domain.blocks import Block, BlockType, searched_texts

MOST_SHOWN = 50
LONGEST_BLOCK = 3000

Numbers = Annotated[list[int], Field(description="Numbers of blocks.", min_length=1)]


class Tree(Protocol):
    """What can be seen of a space."""

    async def children(self, parent_id: UUID | None) -> Sequence[Block]:
        """What stands directly below a block, or at the top."""

    async def titled(self, words: str) -> Sequence[Block]:
        """Blocks with some of these words in their titles, best first."""

    async def alike(self, query: str) -> Sequence[Block]:
        """What is for something like this, best first."""


@dataclass(frozen=True)
class Found:
    """What a search came to, and what it took."""

    blocks: tuple[Block, ...]
    work: Work
    engine: str
    error: str = ""
    """Why it did not come to its end by itself."""
    is_unanswered: bool = False
    """The model did not answer, so nothing is known."""


class ModelSearcher:
    """Asks a chat model, the server's or the one that the project chose."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._instructions = read_instructions(Path(__file__).with_name("searcher.md"))
        self.version = self._instructions.version

    async def search(
        self, query: str, tree: Tree, *, limit: int, rounds: int, name: str = ""
    ) -> Found:
        """Let the model explore; at the limit of rounds, what it attached so far is the answer."""
        walk = Walk(tree, limit)
        task = f"## Query\n{quoted(query, limit=LONGEST_BLOCK)}\n\nAttach at most {limit} blocks."
        text, model = self._instructions.text, self._models.of("searcher", name)
        try:
            # Its rounds are the caller's own limit, so every answer is one.
            done = await work(
                model, text, lambda _: task, walk.tools, rounds=rounds, single_calls=0
            )
        except NotDone as error:
            found = Found(tuple(walk.attached.values()), error.work, model.name, str(error))
            if isinstance(error.__cause__, ModelFailed) or not error.work.tool_calls:
                return replace(found, is_unanswered=True)
            return found
        return Found(tuple(walk.attached.values()), done, model.name)


class Walk:
    """One walk through a tree: what was seen has a number, what was attached is the answer."""

    def __init__(self, tree: Tree, limit: int) -> None:
        self._tree = tree
        self._limit = limit
        self._seen: list[Block] = []
        self.attached: dict[UUID, Block] = {}

    @property
    def tools(self) -> Sequence[Function]:
        """The tools, in the order in which they are mostly needed."""
        return (
            self.search_content,
            self.search_titles,
            self.list_blocks,
            self.read_blocks,
            self.attach_blocks,
            self.finish,
        )

    async def search_content(
        self, query: Annotated[Line, Field(description="What a skill would be for.")]
    ) -> str:
        """Find skills and texts by what they are for, best first."""
        return self._listed(await self._tree.alike(query))

    async def search_titles(
        self, words: Annotated[Line, Field(description="Words of a title.")]
    ) -> str:
        """Find folders, pages, skills and texts by words of their titles."""
        return self._listed(await self._tree.titled(words))

    async def list_blocks(
        self,
        inside: Annotated[
            int | None, Field(description="Number of a folder or page; nothing for the top.")
        ] = None,
    ) -> str:
        """List what stands directly in a folder or page, or at the top."""
        parent = self._block(inside) if inside is not None else None
        return self._listed(await self._tree.children(parent.id if parent else None))

    def read_blocks(self, blocks: Numbers) -> str:
        """Read what skills and texts say."""
        return "\n".join(self._read(number) for number in blocks)

    def attach_blocks(self, blocks: Numbers) -> str:
        """Attach skills and texts to the answer, the most useful first."""
        for number in blocks:
            block = self._block(number)
            if not block.type.has_content:
                raise Refused(f"{number} is a {block.type}; attach what stands in it")
            if block.id not in self.attached and len(self.attached) >= self._limit:
                raise Refused(f"no more than {self._limit} can be attached; finish")
            self.attached[block.id] = block
        return f"{len(self.attached)} attached"

    def finish(self) -> str:
        """End the search; what is attached is the answer."""
        return "done"

    def _block(self, number: int) -> Block:
        if not 1 <= number <= len(self._seen):
            raise Refused(f"nothing was shown with the number {number}")
        return self._seen[number - 1]

    def _listed(self, found: Sequence[Block]) -> str:
        lines = [
            f"{self._number(one)}. {_kind(one)} {in_one_line(one.title)}"
            for one in found[:MOST_SHOWN]
        ]
        more = len(found) - len(lines)
        return "\n".join([*lines, *[f"and {more} more; search for them"] * bool(more)]) or "nothing"

    def _number(self, block: Block) -> int:
        ids = [one.id for one in self._seen]
        if block.id not in ids:
            self._seen.append(block)
            return len(self._seen)
        return ids.index(block.id) + 1

    def _read(self, number: int) -> str:
        block = self._block(number)
        return f"{number}. {_kind(block)}\n{quoted(_said(block), limit=LONGEST_BLOCK)}"


def _kind(block: Block) -> str:
    return "skill" if block.type is BlockType.SOP else block.type.value


def _said(block: Block) -> str:
    if block.type is not BlockType.SOP:
        return "\n".join(searched_texts(block))
    steps = (f"{step.tool_name}: {step.action}" for step in block.sop.steps)
    return "\n".join((block.title, f"preferences: {block.sop.preferences}", *steps))
