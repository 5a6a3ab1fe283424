"""Distilling by a chat model: it words the lesson, its tools hold what must never be in one."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from acontext_server.kit.model import Models
from acontext_server.kit.model.instructions import read_instructions
from acontext_server.kit.model.loop import NotDone, Work, work
from acontext_server.kit.model.tools import Function, Line, Refused
from acontext_server.space.agents import DistillingFailed
from acontext_server.space.agents.calls import attempts, is_error
from acontext_server.space.agents.privacy import is_personal, names_of_this_run, redact
from acontext_server.space.agents.reading import experience_text
from acontext_server.space.domain.experience import Call, Cost, Experience, Lesson, Result
from acontext_server.space.domain.skills import Difficulty, Reason, Sop, Step

PATIENCE = 2
"""So often a model is told what is personal; then it is taken out of what it submits."""

MessageNumbers = Annotated[
    list[int], Field(description="Numbers of the messages that show it.", min_length=1)
]


class SopStep(TypedDict):
    """One step of a SOP."""

    tool_name: Line
    action: Line


class ModelDistiller:
    """Asks a chat model, the server's or the one that the project chose."""

    spends = True

    def __init__(self, models: Models, *, rounds: int) -> None:
        self._models = models
        self._rounds = rounds
        self._instructions = read_instructions(Path(__file__).with_name("distiller.md"))
        self.engine = models.of("distiller").name
        self.version = self._instructions.version

    async def distil(self, experience: Experience) -> Lesson:
        draft, wishes = Draft(experience), experience.wishes
        model = self._models.of("distiller", wishes.models.get("distiller", ""))
        rounds, text = wishes.rounds or self._rounds, self._instructions.text
        told = partial(experience_text, experience)
        try:
            done = await work(model, text, told, draft.tools, rounds=rounds)
        except NotDone as error:
            raise DistillingFailed(str(error), cost_of(error.work, model.name)) from error
        return Lesson(draft.sop, draft.difficulty, cost_of(done, model.name))


def cost_of(done: Work, engine: str) -> Cost:
    """Say what the work of a model took."""
    return Cost(
        rounds=done.rounds,
        tool_calls=done.tool_calls,
        input_tokens=done.usage.input_tokens,
        output_tokens=done.usage.output_tokens,
        price=done.usage.cost,
        engine=engine,
        note=done.note,
    )


class Draft:
    """What a model has made of an experience so far."""

    def __init__(self, experience: Experience) -> None:
        self._experience = experience
        self._personal = names_of_this_run(experience)
        self._evidence: dict[Reason, tuple[str, ...]] = {}
        self._sop: Sop | None = None
        self._warnings = 0

    @property
    def tools(self) -> Sequence[Function]:
        """The tools, in the order in which they are mostly needed."""
        return (self.report_difficulty, self.submit_sop, self.finish)

    @property
    def sop(self) -> Sop:
        """What was submitted."""
        return self._sop or Sop("")

    @property
    def difficulty(self) -> Difficulty:
        """What was reported."""
        return Difficulty(self._evidence)

    def report_difficulty(
        self,
        reason: Literal[
            "tool_error", "wrong_strategy", "user_correction", "stated_preference", "project_rule"
        ],
        messages: MessageNumbers,
        rule: Annotated[int | None, Field(description="Number of the project's rule.")] = None,
    ) -> str:
        """Tell one reason why the task was hard."""
        kind = self._kind(reason, rule)
        turns = self._experience.turns
        for number in messages:
            if not 1 <= number <= len(turns):
                raise Refused(f"there is no message {number}; they are 1 to {len(turns)}")
        shown = tuple(turns[number - 1].message_id for number in messages)
        self._check_shown(kind, shown)
        self._evidence[kind] = shown
        return "noted"

    def submit_sop(
        self,
        use_when: Annotated[Line, Field(description="The kind of task, with its conditions.")],
        preferences: Annotated[list[Line], Field(description="What holds next time too.")],
        tool_sops: Annotated[list[SopStep], Field(description="The way, in order.")],
    ) -> str:
        """Submit the SOP, in place of one submitted before."""
        steps = tuple(Step(one["tool_name"], one["action"]) for one in tool_sops)
        self._check_tools(steps)
        sop = Sop(use_when, ". ".join(line.rstrip(". ") for line in preferences), steps)
        self._sop, told = self._without_personal(sop)
        return told

    def finish(self) -> str:
        """End the work."""
        if self._sop is None:
            raise Refused("submit the SOP first, with empty lists if there is nothing to keep")
        return "done"

    def _kind(self, reason: str, rule: int | None) -> Reason:
        if reason != Reason.PROJECT_RULE:
            return Reason(reason)
        rules = self._experience.rules
        if rule is None or not 1 <= rule <= len(rules):
            raise Refused(f"name one of the project's rules by its number; there are {len(rules)}")
        critical = rules[rule - 1].is_critical
        return Reason.CRITICAL_PROJECT_RULE if critical else Reason.PROJECT_RULE

    def _check_shown(self, kind: Reason, shown: Sequence[str]) -> None:
        """What the messages cannot show does not count."""
        allowed = {
            Reason.TOOL_ERROR: ("a tool call that failed", self._failures()),
            Reason.USER_CORRECTION: ("what the user said", self._said_by("user")),
            Reason.STATED_PREFERENCE: ("what the user said", self._said_by("user")),
        }
        if kind in allowed:
            what, found = allowed[kind]
            if not found.intersection(shown):
                raise Refused(f"{kind} is shown by {what}, and none of these messages is that")

    def _failures(self) -> frozenset[str]:
        calls = {one.message_id for one in attempts(self._experience) if one.failed}
        results = {
            turn.message_id
            for turn in self._experience.turns
            for part in turn.parts
            if isinstance(part, Result) and is_error(part)
        }
        return frozenset(calls | results)

    def _said_by(self, role: str) -> frozenset[str]:
        return frozenset(turn.message_id for turn in self._experience.said_by(role))

    def _check_tools(self, steps: Sequence[Step]) -> None:
        parts = (part for turn in self._experience.turns for part in turn.parts)
        called = {part.name for part in parts if isinstance(part, Call)}
        for step in steps:
            if step.tool_name not in called:
                known = ", ".join(sorted(called)) or "none"
                raise Refused(f"{step.tool_name!r} was never called; called were: {known}")

    def _without_personal(self, sop: Sop) -> tuple[Sop, str]:
        texts = (sop.use_when, sop.preferences, *(step.action for step in sop.steps))
        leaking = [text for text in texts if is_personal(text, self._personal)]
        if not leaking:
            return sop, "submitted"
        self._warnings += 1
        if self._warnings <= PATIENCE:
            raise Refused(
                "this gives away an id, code, number, address, name or secret of this one run: "
                + "; ".join(leaking)
            )
        return self._redacted(sop), "submitted, without what was of this one run only"

    def _redacted(self, sop: Sop) -> Sop:
        use_when = redact(sop.use_when, self._personal)
        if not use_when:
            raise Refused("nothing is left of use_when without what is of this one run only")
        steps = (
            Step(step.tool_name, redact(step.action, self._personal) or step.tool_name)
            for step in sop.steps
        )
        return Sop(use_when, redact(sop.preferences, self._personal), tuple(steps))
