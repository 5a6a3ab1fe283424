"""Whom sessions, disks and spaces belong to."""

from dataclasses import dataclass

from .._model import Model, Timestamp
from .common import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Model):
    """Made by the first session, disk or space that names it."""

    id: str
    project_id: str
    identifier: str
    """Free text of yours, unique in the project."""
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class UserResourceCounts(Model):
    """How much belongs to a user."""

    spaces_count: int
    sessions_count: int
    disks_count: int
    skills_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetUserResourcesOutput(Model):
    """How much belongs to a user."""

    counts: UserResourceCounts


ListUsersOutput = Page[User]
