"""From everything that was called to the shortest path that worked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acontext_server.space.agents.payload import leaves, parsed
from acontext_server.space.domain.experience import Call, Experience, Result
from acontext_server.space.domain.text import humanise


@dataclass(frozen=True)
class Attempt:
    """A call with its answer, if one came."""

    message_id: str
    call: Call
    result: Result | None

    @property
    def worked(self) -> bool:
        """Say whether it was answered, and not with an error."""
        return self.result is not None and not is_error(self.result)

    @property
    def failed(self) -> bool:
        """Say whether it was answered with an error."""
        return self.result is not None and is_error(self.result)


def attempts(experience: Experience) -> list[Attempt]:
    """Pair every call with its result; without ids results answer calls in order."""
    open_calls: list[Attempt] = []
    closed: list[Attempt] = []
    for turn in experience.turns:
        for part in turn.parts:
            if isinstance(part, Call):
                open_calls.append(Attempt(turn.message_id, part, None))
                closed.append(open_calls[-1])
            elif isinstance(part, Result) and (asked := _asked(open_calls, part)):
                open_calls.remove(asked)
                closed[closed.index(asked)] = Attempt(asked.message_id, asked.call, part)
    return closed


def _asked(open_calls: list[Attempt], result: Result) -> Attempt | None:
    if not result.call_id:
        return open_calls[0] if open_calls else None
    return next((one for one in open_calls if one.call.call_id == result.call_id), None)


ERROR_START = re.compile(
    r"\W*(?:\w*error\b|\w*exception\b|traceback\b|failed\b|failure\b|fatal\b|permission denied"
    r"|access denied|command not found|no such file|not found\b|invalid\b|unauthorized\b"
    r"|forbidden\b|timed? ?out\b|cannot\b|could not\b|unable to\b|http/?\S* [45]\d\d\b"
    r"|status(?: code)?:? [45]\d\d\b|[45]\d\d (?:bad|not|forbidden|internal|un))",
    re.IGNORECASE,
)
EXIT_CODE = re.compile(r"\bexit(?:ed with)?(?: code| status)?:? ?(?!0\b)\d+", re.IGNORECASE)
BAD_STATUS = ("error", "failed", "failure", "rejected")


def is_error(result: Result) -> bool:
    """Say whether a tool's answer is an error: marked as one, or reading like one."""
    if result.is_error:
        return True
    payload = parsed(result.text)
    if isinstance(payload, dict):
        return _says_error({str(key).casefold(): value for key, value in payload.items()})
    return bool(ERROR_START.match(result.text) or EXIT_CODE.search(result.text[-200:]))


def _says_error(payload: dict[str, object]) -> bool:
    status = payload.get("status", payload.get("status_code", payload.get("code")))
    return (
        any(payload.get(key) for key in ("error", "errors", "exception", "traceback"))
        or any(payload.get(key) is False for key in ("ok", "success"))
        or (isinstance(status, str) and status.casefold() in BAD_STATUS)
        or (isinstance(status, int) and 400 <= status < 600)
        or payload.get("exit_code", 0) not in (0, None)
    )


THINKING = re.compile(
    r"(?:sequential )?(?:think|thinking|thought|reflect|scratchpad)"
    r"|(?:todo|todos|plan) ?(?:read|write)"
    r"|(?:read|write|update) (?:todo|todos|plan)"
)
"""Tools that only note what the agent thinks, so that nothing comes of them."""
CODE_KEY = re.compile(
    r"(?:^| )(?:command|cmd|shell|sql|selector|xpath|css|locator|pattern|glob|regex|endpoint"
    r"|method)$"
)
"""Parameters that say what a general tool is to do, in a language of its own."""
HEAD = 2


def path_that_worked(made: Sequence[Attempt]) -> list[Attempt]:
    """Keep what worked, once: no failures, no call made twice, no flow repeated on other inputs."""
    seen: list[tuple[str, object]] = []
    path: list[Attempt] = []
    for attempt in made:
        key = (attempt.call.name, attempt.call.arguments)
        thought = THINKING.fullmatch(humanise(attempt.call.name))
        if attempt.worked and key not in seen and not thought:
            seen.append(key)
            path.append(attempt)
    return _without_repeated_flows(path)


def _without_repeated_flows(path: list[Attempt]) -> list[Attempt]:
    for width in range(1, len(path) // 2 + 1):
        start = 0
        while start + 2 * width <= len(path):
            if _names(path[start : start + width]) == _names(path[start + width :][:width]):
                del path[start + width : start + 2 * width]
            else:
                start += 1
    return path


def _names(made: Sequence[Attempt]) -> list[tuple[str, ...]]:
    """What a general tool is told to do belongs to its name: `git add` is not `git commit`."""
    return [(attempt.call.name, *_heads(attempt)) for attempt in made]


def _heads(attempt: Attempt) -> list[str]:
    return [
        " ".join(str(value).split()[:HEAD])
        for path, value in leaves(attempt.call.arguments)
        if path and is_code(path[-1])
    ]


def is_code(key: str) -> bool:
    """Say whether a parameter takes code: a command, a query, a selector."""
    return bool(CODE_KEY.search(humanise(key)))
