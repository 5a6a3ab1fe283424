"""The tree of a space: what may stand where, under which title, with which props."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from acontext_server.kit.errors import InvalidRequest
from acontext_server.space.domain.errors import InvalidBlock
from acontext_server.space.domain.skills import Sop, Step

Props = Mapping[str, Any]


class BlockType(StrEnum):
    """What a block is."""

    FOLDER = "folder"
    PAGE = "page"
    SOP = "sop"
    TEXT = "text"

    @property
    def has_content(self) -> bool:
        """Say whether it is something to find, rather than a place to put it."""
        return self in (BlockType.SOP, BlockType.TEXT)

    @property
    def holder(self) -> "BlockType":
        """Name what it stands in."""
        return BlockType.PAGE if self.has_content else BlockType.FOLDER


@dataclass(frozen=True)
class Block:
    """A node of the tree."""

    id: UUID
    space_id: UUID
    type: BlockType
    parent_id: UUID | None
    title: str
    sort: int
    created_at: datetime
    updated_at: datetime
    props: Props = field(default_factory=dict)
    archived: bool = False
    version: int = 0
    """Of a sop, the version in force; of anything else 0."""
    by_person: bool = False
    """A person wrote or edited it, so learning may only propose."""

    @property
    def sop(self) -> Sop:
        """Read a sop block as what it says."""
        steps = (Step(step["tool_name"], step["action"]) for step in self.props["tool_sops"])
        return Sop(self.title, self.props["preferences"], tuple(steps))


def check_place(kind: BlockType, parent: BlockType | None) -> None:
    """Refuse a parent that cannot hold such a block; None is the root."""
    if parent is None and not kind.has_content:
        return
    if parent is not kind.holder:
        raise InvalidBlock("parent_id", f"a {kind} stands in a {kind.holder}")


def check_no_cycle(block_id: UUID, ancestors: Sequence[UUID]) -> None:
    """Refuse to put a block under itself; `ancestors` are the new parent and those above it."""
    if block_id in ancestors:
        raise InvalidBlock("parent_id", "a block cannot stand in itself or below")


def clamp(sort: int, last: int) -> int:
    """Keep a position among its siblings."""
    return max(0, min(sort, last))


def title_for(kind: BlockType, title: str) -> str:
    """Spell a title as its type wants it."""
    check_storable("title", title)
    if kind.has_content:
        return title
    if "/" in title:
        raise InvalidBlock("title", "a title of a folder or page has no /")
    return title.replace(" ", "_")


def props_for(kind: BlockType, props: Props) -> dict[str, Any]:
    """Keep of the props what a block of this type has, or refuse them."""
    check_storable("props", props)
    if kind is BlockType.SOP:
        return _sop_props(props)
    if kind is BlockType.TEXT and not isinstance(props.get("notes"), str | None):
        raise InvalidBlock("props.notes", "notes are text")
    # The server knows a folder's path; what a GET gave, a PUT takes.
    left_out = {(BlockType.FOLDER, "path")}
    if props.get("notes") is None:
        left_out.add((BlockType.TEXT, "notes"))
    return {key: value for key, value in props.items() if (kind, key) not in left_out}


def sop_props(sop: Sop) -> dict[str, Any]:
    """Write a sop as the props of its block."""
    steps = [{"tool_name": step.tool_name, "action": step.action} for step in sop.steps]
    return {"preferences": sop.preferences, "tool_sops": steps}


def shown_props(block: Block) -> dict[str, Any]:
    """Number the steps of a sop, as clients read them."""
    if block.type is not BlockType.SOP:
        return dict(block.props)
    steps = block.props["tool_sops"]
    numbered = [{"order": order, **step} for order, step in enumerate(steps)]
    return {**block.props, "tool_sops": numbered}


def found_props(block: Block) -> dict[str, Any]:
    """Show a block as an answer of a search: its title is when to use it."""
    if block.type is BlockType.SOP:
        return {"use_when": block.title, **shown_props(block)}
    return {"notes": "", **block.props, "use_when": block.title}


def searched_texts(block: Block) -> tuple[str, str]:
    """Tell what a block is for, and what else it can be found by."""
    if block.type is BlockType.SOP:
        return block.title, " ".join((block.sop.preferences, *block.sop.tool_names))
    notes = block.props.get("notes", "")
    return block.title, notes if isinstance(notes, str) else ""


def _sop_props(props: Props) -> dict[str, Any]:
    preferences, steps = props.get("preferences") or "", props.get("tool_sops") or []
    if not isinstance(preferences, str):
        raise InvalidBlock("props.preferences", "preferences are text")
    if not isinstance(steps, list):
        raise InvalidBlock("props.tool_sops", "tool_sops is a list of steps")
    if not steps and not preferences.strip():
        raise InvalidBlock("props", "a sop has steps or preferences")
    return {"preferences": preferences, "tool_sops": [_step(step) for step in steps]}


def _step(step: object) -> dict[str, str]:
    read = {key: step.get(key) for key in ("tool_name", "action")} if isinstance(step, dict) else {}
    for key in ("tool_name", "action"):
        value = read.get(key)
        if not isinstance(value, str) or not value.strip():
            raise InvalidBlock(f"props.tool_sops.{key}", f"each step has a {key}")
    return {"tool_name": str(read["tool_name"]).strip(), "action": str(read["action"])}


def check_storable(name: str, value: object) -> None:
    """Refuse what PostgreSQL does not keep: a NUL, in text as in jsonb."""
    if isinstance(value, str) and "\0" in value:
        raise InvalidRequest.of(name, "text has no NUL")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_storable(name, key)
            check_storable(name, inner)
    if isinstance(value, list):
        for inner in value:
            check_storable(name, inner)


@dataclass(frozen=True)
class Skill:
    """A sop block with the page it stands in."""

    block: Block
    page_title: str
