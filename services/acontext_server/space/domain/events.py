"""What space announces."""

from dataclasses import dataclass
from uuid import UUID

from acontext_server.space.domain.learning import Completion, Outcome, Run


@dataclass(frozen=True)
class SkillLearned:
    """A new skill stands in the space."""

    space_id: UUID
    skill_id: UUID


@dataclass(frozen=True)
class SkillChanged:
    """A skill has a new version, or another place."""

    space_id: UUID
    skill_id: UUID
    version: int


@dataclass(frozen=True)
class SkillRemoved:
    """A skill is gone."""

    space_id: UUID
    skill_id: UUID


@dataclass(frozen=True)
class TaskLearned:
    """The space has dealt with a completed task."""

    completion: Completion
    outcome: Outcome


@dataclass(frozen=True)
class SpaceDeleted:
    """The space is gone."""

    space_id: UUID


@dataclass(frozen=True)
class UserForgotten:
    """Nothing of this user's is left here."""

    user_id: UUID


@dataclass(frozen=True)
class ProjectForgotten:
    """Nothing of the project is left here."""


@dataclass(frozen=True)
class TokensSpent:
    """A model worked for the project."""

    run: Run


Event = (
    SkillLearned
    | SkillChanged
    | SkillRemoved
    | TaskLearned
    | SpaceDeleted
    | UserForgotten
    | ProjectForgotten
    | TokensSpent
)
