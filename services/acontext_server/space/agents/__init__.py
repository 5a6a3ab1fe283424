"""Distilling an experience into a lesson: one port, an engine per way to do it."""

from typing import Protocol

from acontext_server.space.domain.experience import Experience, Lesson


class Distiller(Protocol):
    """Turns what happened into what to do next time.

    What it returns is a proposal: the caller checks the tools and gates it.
    """

    @property
    def engine(self) -> str:
        """Name what wrote a skill, for its provenance."""

    async def distil(self, experience: Experience) -> Lesson:
        """Learn from one completed task."""
