"""Nodes of a space's tree."""

from dataclasses import dataclass
from typing import Any

from .._model import Model, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Model):
    """A folder, a page, or a skill or text in a page."""

    id: str
    space_id: str
    type: str
    """`folder`, `page`, `sop` or `text`."""
    parent_id: str | None = None
    """None at the root."""
    title: str
    """Of a folder or page its name; of a sop or text when to use it."""
    props: dict[str, Any]
    sort: int
    """Position among its siblings, from 0."""
    is_archived: bool
    created_at: Timestamp
    updated_at: Timestamp
