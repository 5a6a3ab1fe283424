"""Spaces, what a search in one finds, and what waits for a person."""

from dataclasses import dataclass
from typing import Any

from .._model import Model, Timestamp
from .common import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Space(Model):
    """Where sessions are learned: a tree of folders and pages that hold skills."""

    id: str
    project_id: str
    user_id: str | None = None
    configs: dict[str, Any]
    """`learning` in it overrides the project's settings."""
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResultBlockItem(Model):
    """One answer of a search."""

    block_id: str
    title: str
    type: str
    """`sop` or `text`."""
    props: dict[str, Any]
    distance: float
    """Cosine distance to the query, 0 to 2."""
    skill_version: int
    """The version that was served; 0 for a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSearchResult(Model):
    """The answers of a search, best first; empty when nothing is relevant."""

    cited_blocks: list[SearchResultBlockItem]
    final_answer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchThreshold(Model):
    """How near to its query a skill must be for a fast search to answer it."""

    threshold: float
    """Cosine distance, 0 to 2, beyond which nothing is answered."""
    crowding: float
    """How much nearer a skill must be, per likeness of the query to the rest of the space; 0 where
    the threshold alone counts."""
    set_by: str
    """`space`, `project` or `embedder`, which is calibrated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperienceConfirmation(Model):
    """A skill that waits for a person."""

    id: str
    space_id: str
    task_id: str | None = None
    experience_data: dict[str, Any]
    """`{"type": "sop", "data": {use_when, preferences, tool_sops}}`."""
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile(Model):
    """One skill as a file."""

    path: str
    """Folder and file name, `billing/refunds/SKILL.md`."""
    text: str


ListSpacesOutput = Page[Space]
ListExperienceConfirmationsOutput = Page[ExperienceConfirmation]
