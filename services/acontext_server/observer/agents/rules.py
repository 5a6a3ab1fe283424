"""The rules engine: a fold over messages, with general cues of dialogue and tool use only.

`fold` takes the state and one message, and gives the next state and the changes. All it remembers
is in the state, which is kept beside the cursor, so where batches begin and end cannot matter.
Each rule is one small function; the three lists at the end say which are asked, and in what order.
A rule that answers True has dealt with the message.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

import orjson

from acontext_server.observer.agents import cues, wording
from acontext_server.observer.agents.memory import OpenCall, State, Turn, Work
from acontext_server.observer.agents.transcript import Message, ToolCall
from acontext_server.observer.domain import PLANNING, Change, TaskStatus

VERSION = "rules-3"
"""Named in every run, so that it can be told which rules observed what."""

_NEAR = 0.34
"""Share of a step's words that make a message be about it."""
_FRAME = frozenset({"user", "wants", "want", "expects", "agent", "does", "says", "specifies"})
"""What preferences have in common."""
_CALLED = 0.2
"""As _NEAR for calls alone, which have few words but mean each of them."""


def fold(state: State, message: Message) -> tuple[State, tuple[Change, ...]]:
    """Take one message into account; the given state is left as it was."""
    following = deepcopy(state)
    return following, take(following, message)


def take(state: State, message: Message) -> tuple[Change, ...]:
    """Take one message into account, in the state itself: copying it costs more than the rules."""
    turn = Turn.of(state, message)
    for rule in _rules_for(message):
        if rule(turn):
            break
    return tuple(turn.changes)


_LEAST_NOTED = 2
_NOTE = ("content", "step", "title", "task", "description", "text", "name")
_NOTED = {
    **dict.fromkeys(("pending", "todo", "open", "not_started"), TaskStatus.PENDING),
    **dict.fromkeys(("in_progress", "in-progress", "running", "active"), TaskStatus.RUNNING),
    **dict.fromkeys(("completed", "done", "complete", "finished"), TaskStatus.SUCCESS),
}
"""How tools that keep a plan name an item's text and its state."""


Rule = Callable[[Turn], bool]


# What the user says.


def agreement_turns_the_plan_into_tasks(turn: Turn) -> bool:
    """The user does not object to the plan: its steps become tasks, in order, pending."""
    if not turn.state.plan or cues.objects(turn.text):
        return False
    _adopt_plan(turn)
    turn.link(turn.state.current)
    _state_preferences(turn, turn.state.current)
    return True


def objection_withdraws_the_plan(turn: Turn) -> bool:
    """The user wants another plan: talk about requirements goes on in the planning section."""
    if not turn.state.plan:
        return False
    turn.state.plan = []
    turn.link(PLANNING)
    _state_preferences(turn, PLANNING)
    return True


def several_requests_open_a_task_each(turn: Turn) -> bool:
    """A user's list of things to do is one task each, in the order asked."""
    asked = _list_of_requests(turn.text) or cues.requests_in(turn.text)
    if len(asked) < 2 or not turn.is_free:
        return False
    first, *others = [wording.description(request) for request in asked]
    turn.forget_opening()
    work = turn.open(first)
    for description in others:
        turn.open(description, planned=True)
    turn.begin(work)
    turn.link(work.order)
    _state_preferences(turn, work.order, without=asked)
    return True


def aside_is_nothing(turn: Turn) -> bool:
    """A question that is not about the work at hand is answered beside it."""
    work = turn.work
    turn.state.aside = bool(work and not work.is_closed and cues.is_aside(turn.text))
    return turn.state.aside


def giving_up_fails_the_task(turn: Turn) -> bool:
    """The user does not want it any more before it was delivered."""
    work = turn.work
    if work is None or work.is_closed or not cues.gives_up(turn.text):
        return False
    turn.move(work, TaskStatus.FAILED)
    turn.progress(work, "I stopped, because the user did not want it any more")
    turn.link(work.order)
    return not cues.is_request(turn.text)


def thanks_complete_the_task(turn: Turn) -> bool:
    """The user thanks or praises, and nothing is awaited: what was worked on is delivered."""
    work = turn.work
    if work is None or work.is_closed or not _is_content(turn.text):
        return False
    awaited = turn.state.calls or (turn.state.asked and not turn.state.claimed)
    told = work.tools or turn.state.claimed or _is_thanks(turn.text)
    if work.status != TaskStatus.RUNNING or awaited or turn.state.trouble or not told:
        turn.state.thanked = not turn.state.asked
        return False
    turn.move(work, TaskStatus.SUCCESS)
    return False


def moving_on_closes_work_without_tools(turn: Turn) -> bool:
    """What was answered in words alone is delivered once the user goes on without complaint."""
    work = turn.work
    if work is None or work.status != TaskStatus.RUNNING or work.tools or turn.state.asked:
        return False
    request = cues.request_in(turn.text)
    onward = request and cues.leads_away(turn.text)
    if onward or (work.answered and _is_about_something_else(turn, work)):
        turn.move(work, TaskStatus.SUCCESS)
    return False


def _is_about_something_else(turn: Turn, work: Work) -> bool:
    """A question or request that names its own subject, which is not that of the task."""
    asked = cues.request_in(turn.text) or (turn.text if cues.is_question(turn.text) else "")
    said = cues.words(asked)
    apart = bool(said) and not said & cues.words(f"{work.description} {turn.state.told}")
    return apart and not cues.points_back(asked) and not cues.is_refining(asked)


def accepted_offer_opens_a_task(turn: Turn) -> bool:
    """The agent offered to do something further, and the user wants it."""
    if not (turn.state.offer and turn.is_free and turn.work) or not cues.agrees(turn.text):
        return False
    if cues.is_refining(turn.text) and not cues.request_in(turn.text):
        return False
    request = cues.request_in(turn.text)
    if cues.is_question(turn.text) and not request:
        return False
    named = request and len(cues.words(request)) > 1
    turn.forget_opening()
    _open_for(turn, _named(turn) if named else wording.offered(turn.state.offer, turn.text))
    return True


def request_for_a_planned_step_begins_it(turn: Turn) -> bool:
    """The user asks for what the plan has as a step anyway."""
    if not turn.is_free:
        return False
    step = _best_step(turn, turn.text)
    if step is None:
        return False
    turn.begin(step)
    turn.link(step.order)
    _state_preferences(turn, step.order)
    return True


def request_opens_a_task(turn: Turn) -> bool:
    """The user asks for something while nothing is being worked on."""
    request = cues.request_in(turn.text)
    if not (turn.is_free and request) or _is_more_of_the_same(turn, request):
        return False
    turn.forget_opening()
    _open_for(turn, _named(turn))
    return True


def further_request_opens_a_task(turn: Turn) -> bool:
    """While one thing is being worked on, the user asks for another one."""
    request = cues.request_in(turn.text)
    work = turn.work
    if turn.is_free or work is None or turn.state.asked or not request:
        return False
    if turn.state.thanked:
        same = cues.is_refining(request) or cues.points_back(request)
    else:
        same = not cues.leads_away(request) or _similar(request, work.description)
    if same:
        return False
    turn.forget_opening()
    _open_for(turn, wording.description(request))
    return True


def change_of_mind_updates_the_description(turn: Turn) -> bool:
    """The user changes what is wanted before it was done: the same task, described anew."""
    work = turn.work
    if work is None or turn.is_free or work.planned:
        return False
    request = cues.request_in(turn.text)
    otherwise = "" if request or turn.state.asked else cues.change_of_mind(turn.text)
    if not otherwise and not cues.changes_mind(request):
        return False
    if otherwise or cues.revises(request):
        turn.describe(work, wording.changed(work.description, otherwise or request))
    elif cues.is_act(request) or cues.is_lookup(request):
        turn.describe(work, wording.description(request))
    return False


def revision_takes_the_task_up_again(turn: Turn) -> bool:
    """The user wants what was delivered, but otherwise: the requirement changed."""
    work = turn.work
    if work is None or work.status != TaskStatus.SUCCESS or turn.state.asked:
        return False
    request = cues.request_in(turn.text)
    if not cues.revises(request) or cues.leads_away(request):
        return False
    turn.move(work, TaskStatus.RUNNING)
    turn.describe(work, wording.changed(work.description, request))
    turn.link(work.order)
    _state_preferences(turn, work.order)
    return True


def complaint_takes_the_task_up_again(turn: Turn) -> bool:
    """The user says that what was delivered is not right."""
    work = turn.work
    if work is None or not work.is_closed or not cues.complains(turn.text):
        return False
    if cues.is_small_talk(turn.text):
        return False
    turn.move(work, TaskStatus.RUNNING)
    turn.link(work.order)
    _state_preferences(turn, work.order)
    return True


def small_talk_is_nothing(turn: Turn) -> bool:
    """Greetings, thanks, agreement, goodbye belong to no task, but may turn out to lead to one."""
    if not cues.is_small_talk(turn.text) or not turn.is_free:
        return False
    turn.state.opening = [str(turn.message.id)]
    turn.state.opening_text = ""
    return True


def declined_offer_is_nothing(turn: Turn) -> bool:
    """What the user does not want is no task."""
    if not (turn.state.offer and turn.is_free) or not cues.declines(turn.text):
        return False
    return not cues.request_in(turn.text)


def answer_belongs_to_the_task(turn: Turn) -> bool:
    """While something is being worked on, what the user says is about it."""
    work = turn.work
    if work is None or work.is_closed:
        return False
    turn.link(work.order)
    _state_preferences(turn, work.order)
    return True


def follow_up_may_open_a_task(turn: Turn) -> bool:
    """After a delivery a remark is about what was delivered, unless a new tool shows otherwise."""
    if not turn.state.asked or not turn.state.opening:
        turn.forget_opening()
    turn.remember_opening()
    if not turn.state.opening_text:
        turn.state.opening_text = turn.text
    turn.link(turn.work.order if turn.work else PLANNING)
    if turn.work is None or cues.is_lasting(turn.text):
        _state_preferences(turn, turn.work.order if turn.work else PLANNING)
    return True


# What the agent says and does.


def answer_to_an_aside_is_nothing(turn: Turn) -> bool:
    """What the agent says beside the work is no report of it."""
    aside, turn.state.aside = turn.state.aside, False
    return aside and not turn.message.calls


def stated_plan_is_proposed(turn: Turn) -> bool:
    """The agent states a plan of several steps, to be agreed on."""
    steps = cues.steps_in(turn.text)
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
        _adopt_plan(turn)
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
        cues.steps_in(turn.text) if turn.is_free or not _has_worked(turn) else []
    )
    if steps and turn.message.calls:
        turn.state.plan = steps
        _adopt_plan(turn)
    return False


def announced_step_begins(turn: Turn) -> bool:
    """The agent goes on to another step of the plan: what it says or calls is nearest to it."""
    if turn.state.calls or not turn.message.calls:
        return False
    step = _best_step(turn, _telling_words(turn), than=turn.work)
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
        if cues.tells_of_doing(turn.text, step.description):
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
    unasked = not turn.state.opening
    wrong = cues.complains(turn.state.opening_text)
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
    said = cues.words(text) if text and not cues.is_small_talk(text) else frozenset()
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
    turn.move(work, TaskStatus.FAILED)
    turn.progress(work, wording.reported(turn.text))
    turn.link(work.order)
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
    question = cues.last_question(turn.text)
    if cues.asks_for_input(question) or (_is_act(work) and cues.asks_to_confirm(question)):
        return False
    if cues.asks_before_acting(turn.text) and not cues.is_lookup(work.description):
        return False
    turn.move(work, TaskStatus.SUCCESS)
    turn.progress(work, wording.reported(turn.text))
    turn.link(work.order)
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
    turn.move(work, TaskStatus.SUCCESS)
    turn.progress(work, wording.reported(turn.text))
    turn.link(work.order)
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


# What tools answer.


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


# The order in which rules are asked.

_USER: Sequence[Rule] = (
    agreement_turns_the_plan_into_tasks,
    objection_withdraws_the_plan,
    aside_is_nothing,
    giving_up_fails_the_task,
    thanks_complete_the_task,
    moving_on_closes_work_without_tools,
    request_for_a_planned_step_begins_it,
    accepted_offer_opens_a_task,
    complaint_takes_the_task_up_again,
    revision_takes_the_task_up_again,
    several_requests_open_a_task_each,
    request_opens_a_task,
    further_request_opens_a_task,
    declined_offer_is_nothing,
    small_talk_is_nothing,
    change_of_mind_updates_the_description,
    answer_belongs_to_the_task,
    follow_up_may_open_a_task,
)
_AGENT: Sequence[Rule] = (
    answer_to_an_aside_is_nothing,
    plan_noted_with_a_tool_is_followed,
    stated_plan_is_proposed,
    acting_on_the_plan_is_agreement_enough,
    told_step_is_done,
    announced_step_begins,
    next_step_begins_when_one_is_done,
    repeated_call_merges_what_was_one,
    repeated_call_takes_the_task_up_again,
    call_without_a_task_opens_one,
    call_starts_the_task,
    failure_ends_the_task,
    report_completes_the_task,
    claim_completes_work_without_tools,
    engaging_starts_the_task,
    answer_to_a_follow_up_stays,
)
_TOOL: Sequence[Rule] = (result_answers_its_call,)


def _rules_for(message: Message) -> Sequence[Rule]:
    if message.role == "assistant":
        return _AGENT
    if message.role != "user":
        return ()
    return (*_TOOL[: bool(message.results)], *_USER) if message.text else _TOOL


# What several rules need.


def _adopt_plan(turn: Turn) -> None:
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


def _named(turn: Turn) -> str:
    """Name a task by the request, with what it points at if it only points."""
    named = wording.description(turn.text)
    before, _, _ = turn.text.partition(cues.request_in(turn.text))
    declined = len(cues.sentences(before)) == 1 and cues.declines(before)
    told = len(cues.words(before)) > 1 and not declined
    referent = before.strip() if told else turn.state.told
    return wording.with_referent(named, referent if cues.points_back(named) else "")


def _open_for(turn: Turn, description: str) -> None:
    work = turn.open(description)
    turn.begin(work)
    turn.link(work.order)
    _state_preferences(turn, work.order)


def _state_preferences(turn: Turn, order: int, *, without: Sequence[str] = ()) -> None:
    """Keep what the user states: everything but questions, small talk and the bare request."""
    work = turn.task(order)
    described = work.description.casefold() if work else ""
    for sentence in cues.wishes(turn.text):
        if any(part in sentence or sentence in part for part in without):
            continue
        rest = cues.content(sentence)
        if not rest or (cues.is_question(sentence) and not _asks_politely(sentence)):
            continue
        if cues.only_complains(sentence):
            continue
        if described.startswith(wording.description(sentence).casefold()):
            continue
        _prefer(turn, order, sentence)


def _prefer(turn: Turn, order: int, sentence: str) -> None:
    """Keep what a sentence states, unless it only points at something ("Revert it.")."""
    text = wording.preference(sentence)
    if order == PLANNING and not cues.is_lasting(sentence) and not wording.is_wish(text):
        return
    if text and not cues.only_points(sentence):
        turn.prefer(order, text, replaces=_contradicted(turn.task(order), sentence, text))


def _asks_politely(sentence: str) -> bool:
    return cues.is_request(sentence) and cues.starts_politely(sentence)


def _contradicted(work: Work | None, sentence: str, text: str) -> str:
    """The newest preference that this one cannot stand beside.

    A correction replaces what shares most of its words, a lasting wish the same wish with
    something else in it.
    """
    for old in reversed(work.preferences if work else []):
        one, other = cues.words(old) - _FRAME, cues.words(text) - _FRAME
        shared = len(one & other)
        corrected = cues.corrects(sentence) and shared > 1
        opposed = cues.is_negated(old) != cues.is_negated(text)
        varied = cues.is_lasting(old) and cues.is_lasting(text) and len(one) == len(other)
        if corrected or (
            shared * 2 >= len(one | other) > 0 and (opposed or varied) and one != set()
        ):
            return old
    return ""


def _listen(turn: Turn) -> None:
    """Remember what the agent's words leave open: an offer, a question, what "it" would mean."""
    turn.state.offer = cues.offer_in(turn.text)
    turn.state.asked = _waits_for_answer(turn.text)
    turn.state.claimed = _claims(turn.text)
    turn.state.thanked = turn.state.thanked and cues.is_small_talk(turn.text)
    told = [part for part in cues.sentences(turn.text) if not cues.asks_anything_else(part)]
    if any(
        (not cues.is_small_talk(part) and part.rstrip("?") != part) or len(part) > 30
        for part in told
    ):
        turn.state.told = " ".join(told)[:400]
    if turn.work:
        turn.work.said = []
        turn.work.answered = not turn.state.asked and cues.has_code(turn.message.text)


def _waits_for_answer(text: str) -> bool:
    """It asks for something other than what further is wanted."""
    asked = text.rstrip().endswith("?") or cues.asks_for_input(text)
    return asked and not cues.asks_anything_else(cues.last_question(text))


def _note_opening(turn: Turn, work: Work) -> None:
    """The words that led to a task are preferences of it too, unless they are its name."""
    described = work.description.casefold()
    for sentence in cues.sentences(turn.state.opening_text):
        asks = cues.is_question(sentence) and not _asks_politely(sentence)
        named = described.startswith(wording.description(sentence).casefold())
        if cues.content(sentence) and not asks and not named:
            _prefer(turn, work.order, sentence)


def _tell_calls(turn: Turn, work: Work) -> None:
    """Tell in the agent's words what it begins or found, else with what a tool is called first."""
    if turn.text:
        if not work.announced or cues.is_concrete(turn.text):
            turn.progress(work, wording.announced(turn.text))
        work.announced = True
        work.said = [call.name for call in turn.message.calls]
        return
    known = cues.words(" ".join((work.description, *work.preferences)))
    for call in turn.message.calls:
        if call.name not in work.said:
            work.said.append(call.name)
            turn.progress(work, wording.called(call, known))


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


def _best_step(turn: Turn, text: str, *, than: Work | None = None) -> Work | None:
    """The pending step of a plan whose words are nearest, if nearer than those of a given task."""
    said = cues.stems(text)
    steps = [
        task for task in turn.state.tasks if task.planned and task.status == TaskStatus.PENDING
    ]
    best = max(steps, key=lambda step: _nearness(said, step), default=None)
    if best is None or best.order == turn.state.current or _nearness(said, best) < _NEAR:
        return None
    return None if than and _nearness(said, than) >= _nearness(said, best) else best


def _nearness(said: frozenset[str], work: Work) -> float:
    described = cues.stems(work.description)
    return len(said & described) / len(described) if described else 0.0


def _telling_words(turn: Turn) -> str:
    """What tells the step: the calls alone if they are near one; talk may name what comes later."""
    called = cues.shortened(
        " ".join(f"{call.name} {call.arguments}" for call in turn.message.calls)
    )
    said = cues.stems(called)
    if any(task.planned and _nearness(said, task) >= _CALLED for task in turn.state.tasks):
        return called
    return f"{turn.text} {called}"


def _list_of_requests(text: str) -> list[str]:
    """The items of a user's numbered or bulleted list of requests."""
    lines = [line.strip() for line in text.splitlines()]
    items = [
        line.lstrip("-*•0123456789.) ")
        for line in lines
        if line.startswith(("-", "*", "•")) or line[:1].isdigit()
    ]
    return items if all(cues.is_request(item) for item in items) else []


def _is_more_of_the_same(turn: Turn, request: str) -> bool:
    """Another try at what was just delivered, rather than something new."""
    work = turn.work
    if work is None:
        return False
    if cues.is_act(request) and cues.is_lookup(work.description):
        return False
    return cues.is_refining(request)


def _similar(one: str, other: str) -> bool:
    first, second = cues.words(one), cues.words(other)
    return bool(first and second) and len(first & second) * 2 >= min(len(first), len(second))


def _is_content(text: str) -> bool:
    """Thanks or praise, perhaps before something else."""
    first = (cues.sentences(text) or ("",))[0]
    return cues.thanks_or_praises(first) and not cues.complains(text)


def _is_thanks(text: str) -> bool:
    return cues.is_small_talk(text) and "thank" in text.casefold()


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
    return sorted(cues.words(cues.shortened(" ".join(map(str, told)))))[:40]


def _parsed(call: ToolCall) -> object:
    try:
        return orjson.loads(call.arguments)
    except ValueError:
        return call.arguments
