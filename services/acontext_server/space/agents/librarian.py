"""Placing a lesson by a chat model: it chooses the place, its tools hold the rules of the tree."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import Field

from acontext_server.kit.model import Models
from acontext_server.kit.model.instructions import read_instructions
from acontext_server.kit.model.loop import NotDone, work
from acontext_server.kit.model.quoting import in_one_line, quoted
from acontext_server.kit.model.tools import Function, Line, Refused
from acontext_server.space.agents import PlacingFailed
from acontext_server.space.agents.model import SopStep, cost_of
from acontext_server.space.agents.privacy import PERSONAL
from acontext_server.space.domain.blocks import Block, BlockType
from acontext_server.space.domain.experience import Cost, Wishes
from acontext_server.space.domain.shelves import (
    AlreadyKnown,
    Arrangement,
    ArrangementRefused,
    Decision,
    Inserted,
    Moved,
    Placement,
    Renamed,
    Shelves,
    Superseded,
    needed,
    spelled,
)
from acontext_server.space.domain.skills import Sop, Step, plain

T = TypeVar("T")

SHOWN_SKILLS = 6
SHOWN_BLOCKS = 80
MOST_ARRANGEMENTS = 10
LONGEST_SKILL = 3000
UNRELATED = 0.7
"""Cosine distance beyond which skills without a tool in common are not the same in other words."""

BlockPath = Annotated[str, Field(description='Path of a folder or page, such as "travel/flights".')]
SkillNumber = Annotated[int, Field(description="Number of a skill that was shown.", ge=1)]
Alike = Callable[[str], Awaitable[Sequence[UUID]]]
"""Finds skills that are for something like this, best first."""


class ModelLibrarian:
    """Asks a chat model, the server's or the one that the project chose."""

    def __init__(self, models: Models, *, rounds: int, new_id: Callable[[], UUID]) -> None:
        self._models = models
        self._rounds = rounds
        self._new_id = new_id
        self._instructions = read_instructions(Path(__file__).with_name("librarian.md"))
        self.engine = models.of("librarian").name
        self.version = self._instructions.version

    async def place(
        self,
        lesson: Sop,
        space_id: UUID,
        shelves: Shelves,
        near: Mapping[UUID, float],
        alike: Alike,
        wishes: Wishes,
    ) -> tuple[Placement, Cost]:
        """Decide what becomes of a lesson; PlacingFailed when that has to be tried again."""
        model = self._models.of("librarian", wishes.models.get("librarian", ""))
        desk = Desk(lesson, space_id, shelves, near, alike, self._new_id)
        rounds, text = wishes.rounds or self._rounds, self._instructions.text
        try:
            done = await work(model, text, desk.told, desk.tools, rounds=rounds)
        except NotDone as error:
            raise PlacingFailed(str(error), cost_of(error.work, model.name)) from error
        return desk.placement, cost_of(done, model.name)


class Desk:
    """What a librarian sees of the library, and what it has decided so far."""

    def __init__(
        self,
        lesson: Sop,
        space_id: UUID,
        shelves: Shelves,
        near: Mapping[UUID, float],
        alike: Alike,
        new_id: Callable[[], UUID],
    ) -> None:
        self._lesson = lesson
        self._space_id = space_id
        self._shelves = shelves
        self._near = near
        self._alike = alike
        self._new_id = new_id
        self._shown: list[UUID] = []
        self._arrangements: list[Arrangement] = []
        self._decision: Decision | None = None

    @property
    def tools(self) -> Sequence[Function]:
        """The tools, in the order in which they are mostly needed."""
        return (
            self.search_skills,
            self.list_blocks,
            self.read_skills,
            self.create_block,
            self.rename_block,
            self.move_block,
            self.insert_skill,
            self.merge_into_skill,
            self.supersede_skill,
            self.finish,
        )

    @property
    def placement(self) -> Placement:
        """What was decided."""
        if self._decision is None:
            raise ValueError("nothing was decided")
        return Placement(self._decision, needed(self._arrangements, self._decision))

    def told(self, share: float) -> str:
        """Write down the lesson, the skills nearest to it, or a share of them, and the tree."""
        known = [one for one in self._nearest() if self._shelves.find(one)]
        longest = int(LONGEST_SKILL * share)
        nearest = [self._whole(one, longest) for one in known[:SHOWN_SKILLS]]
        sections = [
            ("The lesson", [quoted(_said(self._lesson))]),
            ("The skills nearest to it, the nearest first", nearest or ["none"]),
            ("The tree", self._tree()),
        ]
        return "\n\n".join(f"## {title}\n" + "\n".join(lines) for title, lines in sections)

    async def search_skills(
        self, query: Annotated[Line, Field(description="What a skill would be for.")]
    ) -> str:
        """Find skills by what they are for, best first."""
        found = [one for one in await self._alike(query) if self._shelves.find(one)]
        return "\n".join(map(self._line, found)) or "nothing"

    def list_blocks(
        self,
        inside: Annotated[
            str, Field(description="Path of a folder or page; nothing for the top.")
        ] = "",
    ) -> str:
        """List what stands directly in a folder or page, or at the top."""
        parent = self._at(inside) if inside.strip("/ ") else None
        found = self._shelves.children(parent.id if parent else None)[:SHOWN_BLOCKS]
        return "\n".join(map(self._described, found)) or "nothing"

    def read_skills(self, skills: list[SkillNumber]) -> str:
        """Read all that skills say."""
        return "\n".join(self._whole(self._skill(number).id) for number in skills)

    def create_block(
        self,
        type: Literal["folder", "page"],  # noqa: A002 what it is called everywhere else
        path: Annotated[str, Field(description="Where it stands, ending in its new title.")],
    ) -> str:
        """Create a folder or page; what it stands in must be there."""
        made = self._allowed(
            lambda: self._shelves.made(BlockType(type), path, self._new_id, self._space_id)
        )
        self._arrange(made)
        return f"created {in_one_line(self._shelves.path(made.block.id))}"

    def rename_block(
        self,
        path: BlockPath,
        title: Annotated[str, Field(description="The new title, without a path.")],
    ) -> str:
        """Rename a folder or page, so that its title covers what stands in it."""
        block = self._at(path)
        self._arrange(Renamed(block.id, self._allowed(lambda: spelled(title))))
        return f"it is {in_one_line(self._shelves.path(block.id))} now"

    def move_block(
        self,
        path: BlockPath,
        inside: Annotated[str, Field(description="Path of a folder; nothing for the top.")] = "",
    ) -> str:
        """Move a folder or page into another folder, or to the top."""
        block = self._at(path)
        parent = self._at(inside) if inside.strip("/ ") else None
        self._arrange(Moved(block.id, parent.id if parent else None))
        return f"it is {in_one_line(self._shelves.path(block.id))} now"

    def insert_skill(
        self,
        page: Annotated[str, Field(description="Path of the page.")],
        after: Annotated[
            int | None,
            Field(description="Number of the skill in that page to stand behind; else at the end."),
        ] = None,
    ) -> str:
        """Insert the lesson as a new skill of a page."""
        holder = self._at(page)
        if holder.type is not BlockType.PAGE:
            raise Refused(f"{page!r} is a folder; skills stand in a page")
        self._check_no_twin()
        before = self._skill(after) if after is not None else None
        if before and before.parent_id != holder.id:
            raise Refused(f"skill {after} does not stand in {page!r}")
        return self._decide(Inserted(holder.id, before.id if before else None))

    def merge_into_skill(self, skill: SkillNumber) -> str:
        """Let the lesson be one more source of a skill that says all of it already."""
        known = self._same(skill)
        return self._decide(AlreadyKnown(known.id))

    def supersede_skill(
        self,
        skill: SkillNumber,
        contradicts: Annotated[bool, Field(description="The lesson says the opposite of it.")],
        use_when: Annotated[Line, Field(description="The kind of task, with its conditions.")],
        preferences: Annotated[list[Line], Field(description="All that hold from now on.")],
        tool_sops: Annotated[list[SopStep], Field(description="The way from now on, in order.")],
    ) -> str:
        """Give a skill its next version: what it shall say as a whole from now on."""
        known = self._same(skill)
        steps = tuple(Step(one["tool_name"], one["action"]) for one in tool_sops)
        sop = Sop(use_when, ". ".join(line.rstrip(". ") for line in preferences), steps)
        self._check_nothing_is_invented(known.sop, sop)
        if sop.says_the_same(known.sop):
            return self._decide(AlreadyKnown(known.id))
        return self._decide(Superseded(known.id, known.version, sop, contradicts))

    def finish(self) -> str:
        """End the work."""
        if self._decision is None:
            raise Refused("decide first: insert_skill, merge_into_skill or supersede_skill")
        return "done"

    def _decide(self, decision: Decision) -> str:
        if self._decision is not None and self._decision != decision:
            raise Refused("it is decided already what becomes of the lesson; call finish")
        self._decision = decision
        return "decided"

    def _arrange(self, arrangement: Arrangement) -> None:
        if len(self._arrangements) >= MOST_ARRANGEMENTS:
            raise Refused(f"no more than {MOST_ARRANGEMENTS} changes of the tree for one lesson")
        self._allowed(lambda: self._shelves.apply(arrangement))
        self._arrangements.append(arrangement)

    def _allowed(self, do: Callable[[], T]) -> T:
        try:
            return do()
        except ArrangementRefused as error:
            raise Refused(str(error)) from error

    def _at(self, path: str) -> Block:
        return self._allowed(lambda: self._shelves.at(path))

    def _skill(self, number: int) -> Block:
        found = self._shelves.find(self._shown[number - 1]) if self._is_shown(number) else None
        if found is None:
            raise Refused(f"no skill was shown with the number {number}")
        return found

    def _is_shown(self, number: int) -> bool:
        return 1 <= number <= len(self._shown)

    def _same(self, number: int) -> Block:
        """Give a skill that the lesson may be another wording of."""
        known = self._skill(number)
        shared = set(known.sop.tool_names) & set(self._lesson.tool_names)
        if self._near.get(known.id, UNRELATED + 1) > UNRELATED and not shared:
            raise Refused(
                f"skill {number} is for something else, and calls none of the lesson's tools"
            )
        return known

    def _check_no_twin(self) -> None:
        for one in self._shelves.skills():
            if plain(one.title) == plain(self._lesson.use_when):
                raise Refused(
                    f"skill {self._number(one.id)} is for the same: merge into it or supersede it"
                )

    def _check_nothing_is_invented(self, known: Sop, sop: Sop) -> None:
        tools = {*known.tool_names, *self._lesson.tool_names}
        for step in sop.steps:
            if step.tool_name not in tools:
                listed = ", ".join(sorted(tools)) or "none"
                raise Refused(f"{step.tool_name!r} is a tool of neither; theirs are: {listed}")
        if tools and not sop.steps:
            raise Refused("the steps would be lost; give those that hold from now on")
        before = _said(known) + _said(self._lesson)
        for found in PERSONAL.finditer(_said(sop)):
            if found[0] not in before:
                raise Refused(f"{found[0]!r} stands neither in the skill nor in the lesson")

    def _nearest(self) -> Sequence[UUID]:
        return sorted(self._near, key=lambda one: self._near[one])

    def _number(self, skill_id: UUID) -> int:
        if skill_id not in self._shown:
            self._shown.append(skill_id)
        return self._shown.index(skill_id) + 1

    def _line(self, skill_id: UUID) -> str:
        block = self._shelves.find(skill_id)
        if block is None:
            return ""
        page = in_one_line(self._shelves.path(block.parent_id))
        return f"{self._number(skill_id)}. skill in {page}: {in_one_line(block.title)}"

    def _whole(self, skill_id: UUID, longest: int = LONGEST_SKILL) -> str:
        block = self._shelves.find(skill_id)
        said = quoted(_said(block.sop), limit=longest) if block else ""
        return f"{self._line(skill_id)}\n{said}"

    def _described(self, block: Block) -> str:
        if block.type is BlockType.SOP:
            return self._line(block.id)
        if block.type is BlockType.TEXT:
            return f"text {in_one_line(block.title)}"
        inside = self._shelves.children(block.id)
        held = "skill" if block.type is BlockType.PAGE else "page"
        count = sum(one.type.has_content is (held == "skill") for one in inside)
        plural = "" if count == 1 else "s"
        return f"{block.type} {in_one_line(self._shelves.path(block.id))} ({count} {held}{plural})"

    def _tree(self) -> list[str]:
        lines = list(self._below(None))
        more = len(lines) - SHOWN_BLOCKS
        left = [f"and {more} more; list_blocks shows them"] if more > 0 else []
        return [*lines[:SHOWN_BLOCKS], *left] or ["empty"]

    def _below(self, parent_id: UUID | None) -> Sequence[str]:
        lines: list[str] = []
        for block in self._shelves.children(parent_id):
            if not block.type.has_content:
                lines += [self._described(block), *self._below(block.id)]
        return lines


def _said(sop: Sop) -> str:
    steps = (f"{step.tool_name}: {step.action}" for step in sop.steps)
    return "\n".join((f"use when: {sop.use_when}", f"preferences: {sop.preferences}", *steps))
