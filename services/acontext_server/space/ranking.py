"""Which skills answer a query, in which order, and whether any does: no I/O.

Vectors find what a skill is for; words break ties and find names. docs/decisions/0020 and 0022
have the measurements behind the weights and the cut.
"""

import heapq
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

WORD_WEIGHT = 0.1
SECONDARY_WEIGHT = 0.3
"""What a word counts that stands in preferences, tool names or page title only."""

PREAMBLE = re.compile(r"^\s*(?:use\s+)?(?:this\s+)?(?:skill\s+)?when(?:ever)?\s+", re.IGNORECASE)


NAMED_BEHIND = re.compile(r"(?P<told>.+) \((?P<work>[^()]+)\)$", re.DOTALL)
"""What rules learn ends with the tool that did the work, which says more than a user's words."""

SURROUNDINGS = 200
"""A query is held against so many skills at most, however many were looked at for a filter."""
ABSENT = 3
"""So many skills that have nothing to do with it are thought beside those that a space has."""


def embedded_text(use_when: str) -> str:
    """Prepare what a skill is for: the words that all skills begin with tell none apart."""
    text = PREAMBLE.sub("", use_when) or use_when
    return NAMED_BEHIND.sub(r"\g<work>: \g<told>", text)


@dataclass(frozen=True)
class Cut:
    """Up to which distance something is an answer."""

    threshold: float
    """No answer is farther."""
    crowding: float = 0.0
    """How much nearer it must be to a query that is near to all the rest of the space too, which
    says little. Belongs to an embedder's own threshold; one that somebody set means what it says.
    """

    def allows(self, distances: Mapping[UUID, float]) -> list[UUID]:
        """Pick what is near enough."""
        nearest = heapq.nsmallest(SURROUNDINGS, distances.values())
        alike = sum(1 - distance for distance in nearest)
        others = max(len(nearest) - 1, 0) + ABSENT
        return [
            skill
            for skill, distance in distances.items()
            if distance <= self._limit((alike - (1 - distance)) / others)
        ]

    def _limit(self, likeness_of_others: float) -> float:
        return self.threshold - self.crowding * max(likeness_of_others, 0.0)


@dataclass(frozen=True)
class WordHits:
    """Which of a query's stems a skill has, in what it is for and in the rest."""

    primary: frozenset[str]
    secondary: frozenset[str] = frozenset()

    def weight(self, stem: str) -> float:
        """Weigh a stem by where it stands."""
        if stem in self.primary:
            return 1.0
        return SECONDARY_WEIGHT if stem in self.secondary else 0.0


@dataclass(frozen=True)
class Ranked:
    """A skill in its place."""

    skill_id: UUID
    distance: float
    score: float


def rank(
    distances: Mapping[UUID, float],
    hits: Mapping[UUID, WordHits],
    *,
    stems: Collection[str],
    total: int,
    cut: Cut,
    limit: int,
) -> list[Ranked]:
    """Order skills by fused score, best first, and leave out what is not relevant.

    `distances` are cosine distances by skill, `hits` the words found, `total` how many skills the
    space has. The cut is on distances alone, so that a caller can reckon with it.
    """
    coverage = word_coverage(hits, stems, total)
    found = [
        Ranked(skill, distances[skill], _fused(distances[skill], coverage.get(skill, 0.0)))
        for skill in cut.allows(distances)
    ]
    return sorted(found, key=lambda one: (-one.score, one.skill_id))[:limit]


def _fused(distance: float, coverage: float) -> float:
    return (1 - WORD_WEIGHT) * (1 - distance) + WORD_WEIGHT * coverage


def word_coverage(
    hits: Mapping[UUID, WordHits], stems: Collection[str], total: int
) -> dict[UUID, float]:
    """Say how much of the query's information each skill's words cover, from 0 to 1.

    Not normalised by the best hit: a lone common word would count like a perfect match.
    """
    rarity = {stem: _rarity(stem, hits, total) for stem in stems}
    whole = sum(rarity.values())
    if not whole:
        return {}
    return {
        skill: sum(rarity[stem] * found.weight(stem) for stem in stems) / whole
        for skill, found in hits.items()
    }


def _rarity(stem: str, hits: Mapping[UUID, WordHits], total: int) -> float:
    having = sum(stem in found.primary for found in hits.values())
    return math.log(1 + (max(total, having) - having + 0.5) / (having + 0.5))
