"""Distilling without a model: deterministic, and general to how people and tools talk."""

from acontext_server.space.agents.calls import attempts, path_that_worked
from acontext_server.space.agents.hardness import difficulty
from acontext_server.space.agents.preferences import lasting, stated_in
from acontext_server.space.agents.privacy import names_of_this_run, redact
from acontext_server.space.agents.wording import StepWriter, use_when
from acontext_server.space.domain.experience import Experience, Lesson
from acontext_server.space.domain.skills import Sop


class RulesDistiller:
    """The engine that needs no key; what it writes is marked as learned by rules."""

    engine = "rules"
    version = "2"
    spends = False

    async def distil(self, experience: Experience) -> Lesson:
        return distil(experience)


def distil(experience: Experience) -> Lesson:
    """Take the path that worked, what the user wants next time too, and how hard it was."""
    personal = names_of_this_run(experience)
    made = attempts(experience)
    path = path_that_worked(made)
    wanted = redact(use_when(experience, path, personal), personal)
    preferences = ". ".join(lasting(experience, personal))
    writer = StepWriter(experience, personal, conditions=f"{wanted} {preferences}")
    sop = Sop(
        use_when=wanted,
        preferences=preferences,
        steps=tuple(writer.write(one, path[:index]) for index, one in enumerate(path)),
    )
    return Lesson(sop, difficulty(experience, made, stated_in(experience)))
