"""Where a new skill stands: a fitting page first, else a new one with a short title."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from acontext_server.space.domain.text import content_words

MOST_TITLE_WORDS = 5
NEAR_PAGE = 0.6
"""Cosine distance up to which a skill belongs beside another one."""
FITTING_TITLE = 0.5


@dataclass(frozen=True)
class Page:
    """A page that could hold the skill."""

    id: UUID
    title: str
    nearest: float
    """Cosine distance to the nearest skill in it; 2 when it is empty."""


def fitting_page(use_when: str, pages: Sequence[Page]) -> Page | None:
    """Choose the page whose skills are nearest, or one whose title already says it."""
    for page in sorted(pages, key=lambda one: one.nearest):
        if page.nearest <= NEAR_PAGE:
            return page
    said = max(pages, key=lambda page: _agreement(use_when, page.title), default=None)
    return said if said and _agreement(use_when, said.title) > FITTING_TITLE else None


def _agreement(use_when: str, title: str) -> float:
    wanted, named = set(content_words(use_when)), set(content_words(title))
    return len(wanted & named) / len(named) if named else 0.0


def page_title(use_when: str, taken: Collection[str]) -> str:
    """Make a title of at most five words in snake_case that no sibling has."""
    meant = use_when.partition("(")[0] or use_when
    found = [word.replace("'", "") for word in content_words(meant)] or ["skills"]
    title = "_".join(found[: MOST_TITLE_WORDS - 1])
    number, unique = 2, title
    while unique in taken:
        unique, number = f"{title}_{number}", number + 1
    return unique
