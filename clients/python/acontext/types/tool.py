"""Names of tools that skills call, and short answers."""

from dataclasses import dataclass
from typing import TypedDict

from .._model import Model


class ToolRenameItem(TypedDict):
    """One renaming."""

    old_name: str
    new_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReferenceData(Model):
    """A tool that steps of the project's skills call."""

    name: str
    sop_count: int
    """Steps that use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagResponse(Model):
    """Says that it is done."""

    status: int
    errmsg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertBlockResponse(Model):
    """Names a new block."""

    id: str
