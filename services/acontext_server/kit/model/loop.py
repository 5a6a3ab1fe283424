"""The loop that all agents share: ask, do what was called, tell what came of it, ask again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from acontext_server.kit.model import (
    Answer,
    CallResult,
    Model,
    ModelFailed,
    Prompt,
    ToolCall,
    Turn,
    Usage,
)
from acontext_server.kit.model.tools import Function, Refused, Tool, toolbox

SILENT_ROUNDS = 2
"""So many answers in a row without a call, and the model is not going to do it."""
REMINDER = (
    "Nothing was done: answer with tool calls only, and call finish when you are done. If you"
    ' cannot call tools, write them as JSON: {"calls": [{"name": …, "arguments": {…}}]}'
)
CUT = " Your answer was cut off at its longest; make fewer calls at a time."
FINISH = "finish"


@dataclass(slots=True, kw_only=True)
class Work:
    """What a run of an agent took."""

    rounds: int = 0
    tool_calls: int = 0
    refusals: list[str] = field(default_factory=list)
    """Why calls were refused."""
    usage: Usage = field(default_factory=Usage)


class NotDone(Exception):
    """The agent did not come to its end; the text says why, and the work what it took."""

    def __init__(self, reason: str, work: Work) -> None:
        super().__init__(reason)
        self.work = work


async def work(
    model: Model, instructions: str, task: str, functions: Sequence[Function], *, rounds: int
) -> Work:
    """Let a model work with tools until it calls `finish`, which is one of them.

    A refused call is answered with the reason, and so is a finish beside it. NotDone at the limit
    of rounds, when the model does not call anything, and when it does not answer.
    """
    tools, done = toolbox(functions), Work()
    turns: list[Turn] = [Prompt(text=task)]
    silent = 0
    while done.rounds < rounds:
        answer = await _asked(model, instructions, turns, tools, done)
        turns.append(answer)
        silent = 0 if answer.calls else silent + 1
        if silent == SILENT_ROUNDS:
            break
        if not answer.calls:
            turns.append(Prompt(text=REMINDER + (CUT if answer.is_cut else "")))
        elif await _answered(answer, tools, turns, done):
            return done
    raise NotDone(_why(done, silent), done)


async def _asked(
    model: Model, instructions: str, turns: Sequence[Turn], tools: dict[str, Tool], done: Work
) -> Answer:
    done.rounds += 1
    try:
        answer = await model.answer(instructions, turns, [tool.spec for tool in tools.values()])
    except ModelFailed as error:
        done.usage += error.usage
        raise NotDone(str(error), done) from error
    done.usage += answer.usage
    return answer


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


def _why(done: Work, silent: int) -> str:
    if silent == SILENT_ROUNDS:
        return "the model answered without calling a tool"
    last = f"; last refused: {done.refusals[-1]}" if done.refusals else ""
    return f"the model did not finish within {done.rounds} rounds{last}"
