"""Writing an experience down for a model, all of it quoted."""

from collections.abc import Iterator

import orjson

from acontext_server.kit.model.quoting import in_one_line, quoted
from acontext_server.space.agents.calls import is_error
from acontext_server.space.domain.experience import Call, Experience, Result, Text, Turn

LONGEST_PART = 2000
SHORTEST_PART = 200
LONGEST_TASK = 120_000
"""So many characters of a task are shown: its parts are shortened, then its middle is left out."""


def experience_text(experience: Experience, share: float = 1) -> str:
    """Write down a task, what came before it, and its messages with their numbers, or a share."""
    sections = [
        ("Earlier tasks of the session, for their conditions", _listed(experience.earlier)),
        ("The task", [in_one_line(experience.description)]),
        ("Preferences that were observed", _listed(experience.preferences)),
        ("The project's own rules of what makes a task hard", _rules(experience)),
        ("Messages", _messages(experience, int(LONGEST_TASK * share))),
    ]
    return "\n\n".join(f"## {title}\n" + "\n".join(lines) for title, lines in sections if lines)


def _listed(texts: tuple[str, ...]) -> list[str]:
    return [f"- {in_one_line(text)}" for text in texts]


def _rules(experience: Experience) -> list[str]:
    return [
        f"{number}. {in_one_line(rule.text)}" for number, rule in enumerate(experience.rules, 1)
    ]


def _messages(experience: Experience, longest: int) -> list[str]:
    parts = sum(len(turn.parts) for turn in experience.turns)
    limit = max(min(LONGEST_PART, longest // max(parts, 1)), SHORTEST_PART)
    written = [
        "\n".join(_message(number, turn, limit))
        for number, turn in enumerate(experience.turns, start=1)
    ]
    most = longest // SHORTEST_PART
    left_out = len(written) - most
    if left_out <= 0:
        return written
    note = f"({left_out} messages are left out here)"
    return [*written[: most // 2], note, *written[-(most // 2) :]]


def _message(number: int, turn: Turn, limit: int) -> Iterator[str]:
    yield f"[{number}] {_speaker(turn)}"
    for part in turn.parts:
        yield from _part(part, limit)


def _speaker(turn: Turn) -> str:
    if not turn.text and any(isinstance(part, Result) for part in turn.parts):
        return "tool"
    return {"user": "user", "assistant": "agent"}.get(turn.role, "other")


def _part(part: Text | Call | Result, limit: int) -> Iterator[str]:
    match part:
        case Text():
            yield quoted(part.text, limit=limit)
        case Call():
            yield f"calls the tool {in_one_line(part.name, limit=80)} with"
            yield quoted(_written(part.arguments), limit=limit)
        case Result():
            yield "an error" if is_error(part) else "a result"
            yield quoted(part.text, limit=limit)


def _written(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
