"""Distilling an experience into a lesson: one port, an engine per way to do it."""

from typing import Protocol

from acontext_server.space.domain.experience import Cost, Experience, Lesson


class DistillingFailed(Exception):
    """The engine could not do it this time; the text says why, and what it cost all the same."""

    def __init__(self, reason: str, cost: Cost) -> None:
        super().__init__(reason)
        self.cost = cost


class PlacingFailed(Exception):
    """The librarian could not do it this time; the text says why, and what it cost all the same."""

    def __init__(self, reason: str, cost: Cost) -> None:
        super().__init__(reason)
        self.cost = cost


class Distiller(Protocol):
    """Turns what happened into what to do next time.

    What it returns is a proposal: the caller checks the tools and gates it.
    """

    @property
    def engine(self) -> str:
        """Name what wrote a skill, for its provenance."""

    @property
    def version(self) -> str:
        """Which rules or instructions it follows."""

    @property
    def spends(self) -> bool:
        """Whether it takes tokens, and so waits when a budget of them is used up."""

    async def distil(self, experience: Experience) -> Lesson:
        """Learn from one completed task; DistillingFailed when that has to be tried again."""
