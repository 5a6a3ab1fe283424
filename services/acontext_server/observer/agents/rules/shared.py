"""What the rules of both speakers need."""

from collections.abc import Sequence

from acontext_server.observer.agents import cues, language, wording
from acontext_server.observer.agents.memory import Turn, Work
from acontext_server.observer.domain import PLANNING, TaskStatus

_NEAR = 0.34
"""Share of a step's words that make a message be about it."""
_FRAME = frozenset({"user", "wants", "want", "expects", "agent", "does", "says", "specifies"})
"""What preferences have in common."""
CALLED = 0.2
"""As _NEAR for calls alone, which have few words but mean each of them."""


def adopt_plan(turn: Turn) -> None:
    """Let the first step take the place of the request that was planned, and open the others.

    A plan that is stated anew before its first step has begun takes the place of the first one.
    """
    steps, turn.state.plan = turn.state.plan, []
    turn.forget_opening()
    work = turn.work
    waiting = _not_begun(turn)
    if waiting:
        _replan(turn, waiting, steps)
        return
    if work and not work.is_closed:
        for message_id in work.led:
            turn.link(PLANNING, message_id)
        turn.describe(work, wording.description(steps[0]))
        work.planned, work.led, steps = not work.tools, [], steps[1:]
        work.is_step = True
        first = work
    else:
        first, steps = _open_step(turn, steps[0]), steps[1:]
    for step in steps:
        _open_step(turn, step)
    turn.begin(first)


def _open_step(turn: Turn, step: str) -> Work:
    task = turn.open(wording.description(step), planned=True)
    task.is_step = True
    return task


def _not_begun(turn: Turn) -> Sequence[Work]:
    """The steps of the plan at hand, if it is the last thing that was opened and none has begun."""
    work = turn.work
    before = turn.task(turn.state.current - 1)
    if work is None or (before and before.is_step):
        return []
    steps = [task for task in turn.state.tasks if task.order >= work.order]
    return steps if all(one.is_step and one.planned and not one.tools for one in steps) else []


def _replan(turn: Turn, waiting: Sequence[Work], steps: Sequence[str]) -> None:
    for task, step in zip(waiting, steps, strict=False):
        turn.describe(task, wording.description(step))
    for step in steps[len(waiting) :]:
        _open_step(turn, step)
    for task in reversed(waiting[len(steps) :]):
        turn.merge(task, into=waiting[0])
    turn.begin(waiting[0])


def prefer(turn: Turn, order: int, sentence: str) -> None:
    """Keep what a sentence states, unless it only points at something ("Revert it.").

    What is no wish counts if it answers a question or comes with the request, or sets a norm;
    other remarks are talk.
    """
    text = wording.preference(sentence)
    if not wording.is_wish(text):
        stated = turn.state.asked or turn.was_opened_now(order) or cues.sets_norm(sentence)
        if not stated or (order == PLANNING and not cues.is_lasting(sentence)):
            return
    if text and not cues.only_points(sentence):
        turn.prefer(order, text, replaces=_contradicted(turn.task(order), sentence, text))


def asks_politely(sentence: str) -> bool:
    """It is a request, although it may look like a question."""
    return cues.is_request(sentence) and cues.starts_politely(sentence)


def _contradicted(work: Work | None, sentence: str, text: str) -> str:
    """The newest preference that this one cannot stand beside.

    A correction replaces what shares most of its words, a lasting wish the same wish with
    something else in it.
    """
    for old in reversed(work.preferences if work else []):
        one, other = language.words(old) - _FRAME, language.words(text) - _FRAME
        shared = len(one & other)
        corrected = cues.corrects(sentence) and shared > 1
        opposed = cues.is_negated(old) != cues.is_negated(text)
        varied = cues.is_lasting(old) and cues.is_lasting(text) and len(one) == len(other)
        if corrected or (
            shared * 2 >= len(one | other) > 0 and (opposed or varied) and one != set()
        ):
            return old
    return ""


def best_step(turn: Turn, text: str, *, than: Work | None = None) -> Work | None:
    """The pending step of which most words are said, if more than of a given task.

    Of two alike it is the earlier one: steps are worked off in their order.
    """
    said = language.stems(text)
    steps = [
        task for task in turn.state.tasks if task.planned and task.status == TaskStatus.PENDING
    ]
    best = max(steps, key=lambda step: (_shared(said, step), -step.order), default=None)
    if best is None or best.order == turn.state.current or nearness(said, best) < _NEAR:
        return None
    return None if than and _shared(said, than) >= _shared(said, best) else best


def _shared(said: frozenset[str], work: Work) -> int:
    return len(said & language.stems(work.description))


def nearness(said: frozenset[str], work: Work) -> float:
    """The share of a task's words that were said."""
    described = language.stems(work.description)
    return len(said & described) / len(described) if described else 0.0
