"""Spaces, what a project and a space ask of learning, and who wrote what."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from acontext_server.kit.ids import ProjectId
from acontext_server.space.domain.experience import DifficultyRule, Wishes

T = TypeVar("T")

RULES = "rules"
PERSON = "person"


@dataclass(frozen=True)
class Space:
    """Where sessions are learned."""

    id: UUID
    project_id: ProjectId
    user_id: UUID | None
    configs: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class LearningSettings:
    """What a project asks of learning; a space's `configs.learning` wins."""

    learning: bool = True
    minimum_difficulty: int = 2
    confirmation: bool = False
    search_threshold: float | None = None
    difficulty_rules: tuple[DifficultyRule, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)
    token_budget: int | None = None

    def overridden(self, configs: Mapping[str, Any]) -> "LearningSettings":
        """Apply what a space says itself; what has the wrong type says nothing."""
        own = configs.get("learning")
        own = own if isinstance(own, Mapping) else {}
        return replace(
            self,
            learning=_of(bool, own.get("learning"), self.learning),
            minimum_difficulty=_of(int, own.get("minimum_difficulty"), self.minimum_difficulty),
            confirmation=_of(bool, own.get("confirmation"), self.confirmation),
            search_threshold=_number(own.get("search_threshold"), self.search_threshold),
        )


def _of(kind: type[T], value: object, default: T) -> T:
    return value if isinstance(value, kind) else default


def _number(value: object, default: float | None) -> float | None:
    return float(value) if isinstance(value, int | float) else default
