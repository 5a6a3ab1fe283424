"""What follows from what tools answer."""

from acontext_server.observer.agents import cues, wording
from acontext_server.observer.agents.memory import OpenCall, Turn
from acontext_server.observer.domain import TaskStatus


def result_answers_its_call(turn: Turn) -> bool:
    """A result closes the call with its id, or the oldest open one of its name."""
    for result in turn.message.results:
        call = _answered(turn, result.call_id, result.name)
        if call is None:
            continue
        turn.state.calls.remove(call)
        turn.link(call.order)
        _tell_error(turn, call, result.text, is_error=result.is_error)
        _note_done(turn, call, result.text)
    return not turn.text


def _tell_error(turn: Turn, call: OpenCall, text: str, *, is_error: bool) -> None:
    turn.state.trouble = is_error or cues.is_error(text)
    work = turn.task(call.order)
    if turn.state.trouble and work:
        turn.progress(work, wording.failing(call.name, text))


def _note_done(turn: Turn, call: OpenCall, text: str) -> None:
    """A tool's plain word that it is done completes the task, once nothing else is open."""
    work = turn.task(call.order)
    if work and not turn.state.calls and not turn.state.trouble and cues.shows_done(text):
        turn.move(work, TaskStatus.SUCCESS)
        turn.state.unreported = True


def _answered(turn: Turn, call_id: str, name: str) -> OpenCall | None:
    calls = turn.state.calls
    by_id = (call for call in calls if call_id and call.id == call_id)
    by_name = (call for call in calls if not call_id and call.name == name)
    return next(by_id, None) or next(by_name, None)
