"""What the rules of both speakers need."""

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
    """Let the first step take the place of the request that was planned, and open the others."""
    steps, turn.state.plan = turn.state.plan, []
    turn.forget_opening()
    work = turn.work
    if work and not work.is_closed:
        for message_id in work.led:
            turn.link(PLANNING, message_id)
        turn.describe(work, wording.description(steps[0]))
        work.planned, work.led, steps = not work.tools, [], steps[1:]
        first = work
    else:
        first, steps = turn.open(wording.description(steps[0]), planned=True), steps[1:]
    for step in steps:
        turn.open(wording.description(step), planned=True)
    turn.begin(first)


def prefer(turn: Turn, order: int, sentence: str) -> None:
    """Keep what a sentence states, unless it only points at something ("Revert it.").

    What is no wish counts if it answers a question or comes with the request, or sets a norm;
    other remarks are talk.
    """
    text = wording.preference(sentence)
    if not wording.is_wish(text):
        stated = turn.state.asked or turn.opened(order) or cues.sets_norm(sentence)
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
    """The pending step of a plan whose words are nearest, if nearer than those of a given task."""
    said = language.stems(text)
    steps = [
        task for task in turn.state.tasks if task.planned and task.status == TaskStatus.PENDING
    ]
    best = max(steps, key=lambda step: nearness(said, step), default=None)
    if best is None or best.order == turn.state.current or nearness(said, best) < _NEAR:
        return None
    return None if than and nearness(said, than) >= nearness(said, best) else best


def nearness(said: frozenset[str], work: Work) -> float:
    """The share of a task's words that were said."""
    described = language.stems(work.description)
    return len(said & described) / len(described) if described else 0.0
