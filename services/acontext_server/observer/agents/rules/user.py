"""What follows from what the user says."""

from collections.abc import Sequence

from acontext_server.observer.agents import cues, language, wording
from acontext_server.observer.agents.memory import Turn, Work
from acontext_server.observer.agents.rules.shared import (
    adopt_plan,
    asks_politely,
    best_step,
    prefer,
)
from acontext_server.observer.domain import PLANNING, TaskStatus


def agreement_turns_the_plan_into_tasks(turn: Turn) -> bool:
    """The user does not object to the plan: its steps become tasks, in order, pending."""
    if not turn.state.plan or cues.objects(turn.text):
        return False
    adopt_plan(turn)
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
    """The user does not want it any more, or nothing of what was delivered."""
    work = turn.work
    if work is None or work.status == TaskStatus.FAILED or not cues.gives_up(turn.text):
        return False
    if work.is_closed and not cues.scorns(turn.text):
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
    said = language.words(asked)
    apart = bool(said) and not said & language.words(f"{work.description} {turn.state.told}")
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
    named = request and len(language.words(request)) > 1
    turn.forget_opening()
    _open_for(turn, _named(turn) if named else wording.offered(turn.state.offer, turn.text))
    return True


def request_for_a_planned_step_begins_it(turn: Turn) -> bool:
    """The user asks for what the plan has as a step anyway."""
    if not turn.is_free:
        return False
    step = best_step(turn, turn.text)
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


def _named(turn: Turn) -> str:
    """Name a task by the request, with what it is about if that is not said in it."""
    named = wording.description(turn.text)
    before, _, _ = turn.text.partition(cues.request_in(turn.text))
    declined = len(language.sentences(before)) == 1 and cues.declines(before)
    told = len(language.words(before)) > 1 and not declined
    if cues.points_back(named):
        return wording.with_referent(named, before.strip() if told else turn.state.told)
    return wording.with_referent(named, before.strip() if told and " " not in named else "")


def _open_for(turn: Turn, description: str) -> None:
    work = turn.open(description)
    turn.begin(work)
    turn.link(work.order)
    _state_preferences(turn, work.order)


def _state_preferences(turn: Turn, order: int, *, without: Sequence[str] = ()) -> None:
    """Keep what the user states: everything but questions, small talk and the bare request."""
    work = turn.task(order)
    described = work.description if work else ""
    for sentence in cues.wishes(turn.text):
        if any(part in sentence or sentence in part for part in without):
            continue
        rest = cues.content(sentence)
        if not rest or (cues.is_question(sentence) and not asks_politely(sentence)):
            continue
        if cues.only_complains(sentence):
            continue
        if wording.is_named_by(described, sentence):
            continue
        prefer(turn, order, sentence)


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
    first, second = language.words(one), language.words(other)
    return bool(first and second) and len(first & second) * 2 >= min(len(first), len(second))


def _is_content(text: str) -> bool:
    """Thanks or praise, perhaps before something else."""
    first = (language.sentences(text) or ("",))[0]
    return cues.thanks_or_praises(first) and not cues.complains(text)


def _is_thanks(text: str) -> bool:
    return cues.is_small_talk(text) and cues.is_delighted(text)
