"""The loop that all agents share: ask, do what was called, tell what came of it, ask again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from acontext_server.kit.model import (
    Answer,
    CallResult,
    Model,
    ModelFailed,
    Prompt,
    PromptTooLong,
    ToolCall,
    ToolSpec,
    Turn,
    Usage,
)
from acontext_server.kit.model.tools import Function, Refused, Tool, toolbox

SILENT_ROUNDS = 3
"""So many answers in a row without a call, and the model is not going to do it."""
SINGLE_CALLS = 24
"""So many answers with one new call, well done, do not count as rounds: models that make one call
at a time need an answer for each."""
SMALLEST_SHARE = 1 / 8
"""So much of a task a model has to be able to read."""
LONGEST_SAYING = 200
REMINDER = (
    "Nothing was done: answer with tool calls only, and call finish when you are done. If you"
    ' cannot call tools, write them as JSON: {"calls": [{"name": …, "arguments": {…}}]}'
)
CUT = " Your answer was cut off at its longest; make fewer calls at a time."
FINISH = "finish"

Told = Callable[[float], str]
"""Writes a task down, at a share of its usual length."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What a run of an agent took."""

    rounds: int = 0
    tool_calls: int = 0
    refusals: list[str] = field(default_factory=list)
    """Why calls were refused."""
    usage: Usage = field(default_factory=Usage)

    @property
    def note(self) -> str:
        """What else whoever reads the run wants to know."""
        retries = self.usage.retries
        again = [f"the endpoint was asked again {retries} times"] if retries else []
        return "; ".join([*again, *(f"refused: {one}" for one in self.refusals)])


class NotDone(Exception):
    """The agent did not come to its end; the text says why, and the work what it took."""

    def __init__(self, reason: str, work: Work) -> None:
        super().__init__(reason)
        self.work = work


async def work(
    model: Model,
    instructions: str,
    task: Told,
    functions: Sequence[Function],
    *,
    rounds: int,
    single_calls: int = SINGLE_CALLS,
) -> Work:
    """Let a model work with tools until it calls `finish`, which is one of them.

    A refused call is answered with the reason, and so is a finish beside it. NotDone at the limit
    of rounds, when the model does not call anything, and when it does not answer.
    """
    tools, done = toolbox(functions), Work()
    turns: list[Turn] = []
    left, patience, silent = rounds, Patience(single_calls), 0
    while left:
        answer = await _asked(model, instructions, task, turns, tools, done)
        turns.append(answer)
        refused = len(done.refusals)
        silent = 0 if answer.calls else silent + 1
        if silent == SILENT_ROUNDS:
            raise NotDone(_why_silent(answer), done)
        if not answer.calls:
            turns.append(Prompt(text=REMINDER + (CUT if answer.is_cut else "")))
        elif await _answered(answer, tools, turns, done):
            return done
        if not patience.bears(answer, is_refused=len(done.refusals) > refused):
            left -= 1
    last = f"; last refused: {done.refusals[-1]}" if done.refusals else ""
    raise NotDone(f"the model did not finish within {rounds} rounds{last}", done)


class Patience:
    """With models that make one call at a time."""

    def __init__(self, single_calls: int) -> None:
        self._left = single_calls
        self._seen: set[tuple[str, str]] = set()

    def bears(self, answer: Answer, *, is_refused: bool) -> bool:
        """Say whether an answer does not count, since it brought the work on by one call."""
        made = {(call.name, call.arguments) for call in answer.calls}
        is_new = not made & self._seen
        self._seen |= made
        if is_refused or len(answer.calls) != 1 or not is_new or not self._left:
            return False
        self._left -= 1
        return True


async def _asked(
    model: Model,
    instructions: str,
    task: Told,
    turns: list[Turn],
    tools: dict[str, Tool],
    done: Work,
) -> Answer:
    done.rounds += 1
    specs = [tool.spec for tool in tools.values()]
    try:
        if turns:
            answer = await model.answer(instructions, turns, specs)
        else:
            answer = await _begun(model, instructions, task, turns, specs)
    except ModelFailed as error:
        done.usage += error.usage
        raise NotDone(str(error), done) from error
    done.usage += answer.usage
    return answer


async def _begun(
    model: Model,
    instructions: str,
    task: Told,
    turns: list[Turn],
    specs: Sequence[ToolSpec],
    share: float = 1.0,
) -> Answer:
    """Tell the task, and tell it shorter for as long as it is too long."""
    turns[:] = [Prompt(text=task(share))]
    try:
        return await model.answer(instructions, turns, specs)
    except PromptTooLong:
        if share <= SMALLEST_SHARE:
            raise
    return await _begun(model, instructions, task, turns, specs, share / 2)


async def _answered(answer: Answer, tools: dict[str, Tool], turns: list[Turn], done: Work) -> bool:
    """Do all calls in their order, finish last; True when it was accepted."""
    refused = len(done.refusals)
    finishing = [call for call in answer.calls if call.name == FINISH]
    for call in answer.calls:
        if call.name != FINISH:
            turns.append(CallResult(call=call, text=await _done(call, tools, done, answer)))
    for call in finishing:
        if len(done.refusals) > refused:
            text = "not finished: a call was refused. Correct it, then call finish again"
        else:
            text = await _done(call, tools, done, answer)
        turns.append(CallResult(call=call, text=text))
    return bool(finishing) and len(done.refusals) == refused


async def _done(call: ToolCall, tools: dict[str, Tool], done: Work, answer: Answer) -> str:
    done.tool_calls += 1
    tool = tools.get(call.name)
    try:
        if tool is None:
            raise Refused(f"there is no tool {call.name!r}; the tools are {', '.join(tools)}")
        return await tool.call(call.arguments)
    except Refused as error:
        done.refusals.append(f"{call.name}: {error}")
        return f"refused: {error}" + (CUT if answer.is_cut else "")


def _why_silent(answer: Answer) -> str:
    if answer.is_filtered:
        return "the endpoint's filter stopped the model's answer"
    if answer.is_cut and not answer.text:
        return "the model was cut off before it said anything: its context or limit is too small"
    said = f": {answer.text[:LONGEST_SAYING]!r}" if answer.text else ""
    return f"the model answered without calling a tool{said}"
