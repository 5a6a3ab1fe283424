"""What follows from what the agent says and does."""

from collections.abc import Sequence

import orjson

from acontext_server.observer.agents import cues, language, plans, wording
from acontext_server.observer.agents.memory import OpenCall, Turn, Work
from acontext_server.observer.agents.rules.shared import (
    CALLED,
    adopt_plan,
    asks_politely,
    best_step,
    nearness,
    prefer,
)
from acontext_server.observer.agents.transcript import ToolCall
from acontext_server.observer.domain import PLANNING, TaskStatus

_LEAST_NOTED = 2
_NOTE = ("content", "step", "title", "task", "description", "text", "name")
_NOTED = {
    **dict.fromkeys(("pending", "todo", "open", "not_started"), TaskStatus.PENDING),
    **dict.fromkeys(("in_progress", "in-progress", "running", "active"), TaskStatus.RUNNING),
    **dict.fromkeys(("completed", "done", "complete", "finished"), TaskStatus.SUCCESS),
}
"""How tools that keep a plan name an item's text and its state."""


def answer_to_an_aside_is_nothing(turn: Turn) -> bool:
    """What the agent says beside the work is no report of it."""
    aside, turn.state.aside = turn.state.aside, False
    return aside and not turn.message.calls


def stated_plan_is_proposed(turn: Turn) -> bool:
    """The agent states a plan of several steps, to be agreed on."""
    steps = plans.steps_in(turn.text)
    work = turn.work
    if (
        not steps
        or turn.message.calls
        or (work and (work.tools or (work.is_closed and not turn.state.opening)))
    ):
        return False
    turn.state.plan = steps
    turn.link(work.order if work and not work.is_closed else PLANNING)
    turn.state.asked = True
    return True


def plan_noted_with_a_tool_is_followed(turn: Turn) -> bool:
    """The agent keeps its plan in a tool's arguments: items become tasks, with their states."""
    noted = [item for call in turn.message.calls for item in _items_noted(call)]
    if len(noted) < _LEAST_NOTED:
        return False
    if not any(_task_named(turn, named) for named, _ in noted):
        turn.state.plan = [named for named, _ in noted]
        adopt_plan(turn)
    for named, status in noted:
        task = _task_named(turn, named)
        if task is None:
            if status == TaskStatus.SUCCESS:  # done and forgotten
                continue
            task = turn.open(named, planned=True)
        if status == TaskStatus.RUNNING:
            turn.begin(task)
        if status != TaskStatus.PENDING and not task.is_closed:
            turn.move(task, status)
    turn.link(turn.state.current)
    return True


def acting_on_the_plan_is_agreement_enough(turn: Turn) -> bool:
    """The agent states a plan and begins at once."""
    steps = turn.state.plan or (
        plans.steps_in(turn.text) if turn.is_free or not _has_worked(turn) else []
    )
    if steps and turn.message.calls:
        turn.state.plan = steps
        adopt_plan(turn)
    return False


def announced_step_begins(turn: Turn) -> bool:
    """The agent goes on to another step of the plan: what it says or calls is nearest to it."""
    if turn.state.calls or not turn.message.calls:
        return False
    step = best_step(turn, _telling_words(turn), than=turn.work)
    if step is None:
        return False
    if turn.work and turn.work.status == TaskStatus.RUNNING and turn.work.tools:
        turn.move(turn.work, TaskStatus.SUCCESS)
    turn.begin(step)
    return False


def told_step_is_done(turn: Turn) -> bool:
    """The agent tells in the step's own words that it did one, whose beginning nobody saw."""
    work = turn.work
    if turn.state.calls or not (work and work.tools):
        return False
    done = [step for step in turn.state.tasks if step.planned and step.order > work.order]
    for step in done:
        if language.tells_of_doing(turn.text, step.description):
            turn.move(work, TaskStatus.SUCCESS)
            turn.begin(step)
            turn.progress(step, wording.reported(turn.text))
            turn.move(step, TaskStatus.SUCCESS)
    return False


def next_step_begins_when_one_is_done(turn: Turn) -> bool:
    """After a delivered step, further calls are for the next pending one, unless they are alike."""
    if not (turn.message.calls and turn.is_free and turn.work) or _calls_again(turn):
        return False
    if turn.state.opening_text and cues.complains(turn.state.opening_text):
        return False
    step = next((task for task in turn.state.tasks if task.status == TaskStatus.PENDING), None)
    if step:
        turn.begin(step)
    return False


def repeated_call_merges_what_was_one(turn: Turn) -> bool:
    """What sounded like a new request is worked on exactly like the task before: it is the same."""
    work, before = turn.work, turn.task(turn.state.current - 1)
    if not (work and before and turn.message.calls) or work.tools or work.planned:
        return False
    if work.order != turn.state.opened or not _same_call(before, turn.message.calls):
        return False
    turn.merge(work, into=before)
    return False


def repeated_call_takes_the_task_up_again(turn: Turn) -> bool:
    """A delivered task goes on: the same tool again, after a complaint, or unasked."""
    work = turn.work
    if not (work and work.is_closed and turn.message.calls):
        return False
    said = turn.state.opening_text
    unasked = not turn.state.opening or cues.asks_how_far(said)
    wrong = cues.complains(said)
    if unasked or wrong or _calls_again(turn):
        _note_opening(turn, work)
        turn.begin(work)
        turn.move(work, TaskStatus.RUNNING)
    return False


def call_without_a_task_opens_one(turn: Turn) -> bool:
    """The agent acts on what did not sound like a request: a task after all, from there on."""
    if not turn.message.calls or not turn.is_free:
        return False
    text = turn.state.opening_text
    said = language.words(text) if text and not cues.is_small_talk(text) else frozenset()
    named = (
        wording.description(text) if len(said) > 1 else wording.named_after(turn.message.calls[0])
    )
    work = turn.open(named)
    _note_opening(turn, work)
    turn.begin(work)
    return False


def call_starts_the_task(turn: Turn) -> bool:
    """A tool call is work; until it is answered the task is running."""
    work = turn.work
    if work is None or not turn.message.calls:
        return False
    turn.move(work, TaskStatus.RUNNING)
    turn.link(work.order)
    _tell_calls(turn, work)
    for call in turn.message.calls:
        turn.state.calls.append(OpenCall(id=call.id, name=call.name, order=work.order))
        work.tools[call.name] = _values(call)
    work.led = []
    turn.state.offer, turn.state.asked, turn.state.trouble = "", False, False
    turn.state.unreported, turn.state.thanked, turn.state.claimed = False, False, False
    return True


def failure_ends_the_task(turn: Turn) -> bool:
    """The agent says that it could not do it."""
    work = turn.work
    if work is None or work.is_closed or turn.state.calls or not work.tools:
        return False
    failed = cues.reports_failure(turn.text, after_error=turn.state.trouble)
    if not failed or (cues.reports_done(turn.text) and not turn.state.trouble):
        return False
    _end(turn, work, TaskStatus.FAILED)
    _listen(turn)
    return True


def report_completes_the_task(turn: Turn) -> bool:
    """All calls are answered, and the agent tells what came of it without needing more."""
    work = turn.work
    if work is None or turn.state.calls or not work.tools:
        return False
    if work.is_closed and not turn.state.unreported:
        return False
    turn.state.unreported = False
    if turn.state.trouble and not cues.reports_done(turn.text):
        return False
    if cues.goes_on(turn.text):
        return False
    question = cues.last_question(turn.text)
    if cues.asks_for_input(question) or (_is_act(work) and cues.asks_to_confirm(question)):
        return False
    if cues.asks_before_acting(turn.text) and not cues.is_lookup(work.description):
        return False
    _end(turn, work, TaskStatus.SUCCESS)
    _tell_what_was_asked(turn)
    _listen(turn)
    return True


def claim_completes_work_without_tools(turn: Turn) -> bool:
    """The agent says in words that it is done, and no tool was needed."""
    work = turn.work
    if work is None or work.is_closed or work.tools or work.planned or turn.state.calls:
        return False
    if not _claims(turn.text) or _waits_for_answer(turn.text):
        return False
    _end(turn, work, TaskStatus.SUCCESS)
    _listen(turn)
    return True


def engaging_starts_the_task(turn: Turn) -> bool:
    """The agent takes the request up, be it with a question."""
    work = turn.work
    if work is None or work.is_closed:
        return False
    if not work.planned and not turn.state.thanked:
        turn.move(work, TaskStatus.RUNNING)
    if cues.reads_back(turn.text):
        turn.progress(work, wording.read_back(turn.text))
    turn.link(work.order)
    _listen(turn)
    return True


def answer_to_a_follow_up_stays(turn: Turn) -> bool:
    """What the agent says after a delivery belongs to the task if the question did."""
    _listen(turn)
    if turn.state.opening and turn.work and turn.state.opening_text:
        turn.link(turn.work.order)
    if turn.state.opening:
        turn.remember_opening()
    return True


def _end(turn: Turn, work: Work, status: TaskStatus) -> None:
    """Tell what came of a task in the agent's words."""
    turn.move(work, status)
    turn.progress(work, wording.reported(turn.text))
    turn.link(work.order)


def _listen(turn: Turn) -> None:
    """Remember what the agent's words leave open: an offer, a question, what "it" would mean."""
    turn.state.offer = cues.offer_in(turn.text)
    turn.state.asked = _waits_for_answer(turn.text)
    turn.state.claimed = _claims(turn.text)
    turn.state.thanked = turn.state.thanked and cues.is_small_talk(turn.text)
    told = [part for part in language.sentences(turn.text) if not cues.asks_anything_else(part)]
    if any(
        (not cues.is_small_talk(part) and part.rstrip("?") != part) or len(part) > 30
        for part in told
    ):
        turn.state.told = " ".join(told)[:400]
    if turn.work:
        turn.work.said = []
        turn.work.answered = not turn.state.asked and language.has_code(turn.message.text)


def _waits_for_answer(text: str) -> bool:
    """It asks for something other than what further is wanted."""
    asked = text.rstrip().endswith("?") or cues.asks_for_input(text)
    return asked and not cues.asks_anything_else(cues.last_question(text))


def _note_opening(turn: Turn, work: Work) -> None:
    """The words that led to a task are preferences of it too, unless they are its name."""
    for sentence in language.sentences(turn.state.opening_text):
        asks = cues.is_question(sentence) and not asks_politely(sentence)
        named = wording.is_named_by(work.description, sentence)
        if cues.content(sentence) and not asks and not named:
            prefer(turn, work.order, sentence)


def _tell_calls(turn: Turn, work: Work) -> None:
    """Tell in the agent's words what it begins or found, else with what a tool is called first."""
    if turn.text:
        if not work.announced or cues.is_concrete(turn.text):
            turn.progress(work, wording.announced(turn.text))
        work.announced = True
        work.said = [call.name for call in turn.message.calls]
        return
    known = language.words(" ".join((work.description, *work.preferences)))
    for call in turn.message.calls:
        if call.name not in work.said:
            work.said.append(call.name)
            turn.progress(work, wording.called(call, known))


def _telling_words(turn: Turn) -> str:
    """What tells the step: the calls alone if they are near one; talk may name what comes later."""
    called = language.shortened(
        " ".join(f"{call.name} {call.arguments}" for call in turn.message.calls)
    )
    said = language.stems(called)
    if any(task.planned and nearness(said, task) >= CALLED for task in turn.state.tasks):
        return called
    return f"{turn.text} {called}"


def _claims(text: str) -> bool:
    """It says that something is done, rather than what is going to be."""
    return cues.reports_done(text) and not cues.reads_back(text)


def _is_act(work: Work) -> bool:
    """It is not done by finding out, so that a yes may be needed before it is done."""
    return not work.planned and cues.is_act(work.description)


def _tell_what_was_asked(turn: Turn) -> None:
    """A wish to be told what came of it is fulfilled by the report on all the rest."""
    open_tasks = [task for task in turn.state.tasks if not task.is_closed]
    if open_tasks and all(cues.is_wish_to_be_told(task.description) for task in open_tasks):
        for task in open_tasks:
            turn.move(task, TaskStatus.SUCCESS)
            turn.progress(task, wording.reported(turn.text))


def _items_noted(call: ToolCall) -> list[tuple[str, TaskStatus]]:
    """Items of a list among the arguments that have a text and a state of work."""
    arguments = _parsed(call)
    lists = arguments.values() if isinstance(arguments, dict) else ()
    items = (item for one in lists if isinstance(one, list) for item in one)
    return [
        (wording.description(text), status)
        for item in items
        if isinstance(item, dict)
        and (status := _NOTED.get(str(item.get("status")).casefold()))
        and (text := next((item[key] for key in _NOTE if isinstance(item.get(key), str)), ""))
    ]


def _task_named(turn: Turn, description: str) -> Work | None:
    return next((task for task in turn.state.tasks if task.description == description), None)


def _has_worked(turn: Turn) -> bool:
    return bool(turn.work and turn.work.tools)


def _calls_again(turn: Turn) -> bool:
    work = turn.work
    return work is not None and any(call.name in work.tools for call in turn.message.calls)


def _same_call(work: Work, calls: Sequence[ToolCall]) -> bool:
    """The same tool as for that task, with some of the same values."""
    for call in calls:
        before, now = set(work.tools.get(call.name, ())), set(_values(call))
        if before & now and len(before & now) * 2 >= min(len(before), len(now)):
            return True
    return False


def _values(call: ToolCall) -> list[str]:
    """The words of a call's arguments, without the names that any call of the tool has."""
    arguments = _parsed(call)
    told = arguments.values() if isinstance(arguments, dict) else [arguments]
    return sorted(language.words(language.shortened(" ".join(map(str, told)))))[:40]


def _parsed(call: ToolCall) -> object:
    try:
        return orjson.loads(call.arguments)
    except ValueError:
        return call.arguments
