"""Writing an experience down for a model, all of it quoted."""

from collections.abc import Iterator

import orjson

from acontext_server.kit.model.quoting import in_one_line, quoted
from acontext_server.space.agents.calls import is_error
from acontext_server.space.domain.experience import Call, Experience, Result, Text, Turn

LONGEST_PART = 2000


def experience_text(experience: Experience) -> str:
    """Write down a task, what came before it, and its messages with their numbers."""
    sections = [
        ("Earlier tasks of the session, for their conditions", _listed(experience.earlier)),
        ("The task", [in_one_line(experience.description)]),
        ("Preferences that were observed", _listed(experience.preferences)),
        ("The project's own rules of what makes a task hard", _rules(experience)),
        ("Messages", [line for one in _messages(experience) for line in one]),
    ]
    return "\n\n".join(f"## {title}\n" + "\n".join(lines) for title, lines in sections if lines)


def _listed(texts: tuple[str, ...]) -> list[str]:
    return [f"- {in_one_line(text)}" for text in texts]


def _rules(experience: Experience) -> list[str]:
    return [
        f"{number}. {in_one_line(rule.text)}" for number, rule in enumerate(experience.rules, 1)
    ]


def _messages(experience: Experience) -> Iterator[Iterator[str]]:
    for number, turn in enumerate(experience.turns, start=1):
        yield _message(number, turn)


def _message(number: int, turn: Turn) -> Iterator[str]:
    yield f"[{number}] {_speaker(turn)}"
    for part in turn.parts:
        yield from _part(part)


def _speaker(turn: Turn) -> str:
    if not turn.text and any(isinstance(part, Result) for part in turn.parts):
        return "tool"
    return {"user": "user", "assistant": "agent"}.get(turn.role, "other")


def _part(part: Text | Call | Result) -> Iterator[str]:
    match part:
        case Text():
            yield quoted(part.text, limit=LONGEST_PART)
        case Call():
            yield f"calls the tool {in_one_line(part.name, limit=80)} with"
            yield quoted(_written(part.arguments), limit=LONGEST_PART)
        case Result():
            yield "an error" if is_error(part) else "a result"
            yield quoted(part.text, limit=LONGEST_PART)


def _written(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
