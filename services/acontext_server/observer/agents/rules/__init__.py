"""The rules engine: a fold over messages, with general cues of dialogue and tool use only.

`fold` takes the state and one message, and gives the next state and the changes. All it remembers
is in the state, which is kept beside the cursor, so where batches begin and end cannot matter.
Each rule is one small function; the three lists at the end say which are asked, and in what order.
A rule that answers True has dealt with the message.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

from acontext_server.observer.agents.memory import State, Turn
from acontext_server.observer.agents.rules import agent, tools, user
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.domain import Change

VERSION = "rules-4"
"""Named in every run, so that it can be told which rules observed what."""


Rule = Callable[[Turn], bool]

_USER: Sequence[Rule] = (
    user.agreement_turns_the_plan_into_tasks,
    user.objection_withdraws_the_plan,
    user.aside_is_nothing,
    user.giving_up_fails_the_task,
    user.thanks_complete_the_task,
    user.moving_on_closes_work_without_tools,
    user.request_for_a_planned_step_begins_it,
    user.accepted_offer_opens_a_task,
    user.complaint_takes_the_task_up_again,
    user.revision_takes_the_task_up_again,
    user.several_requests_open_a_task_each,
    user.request_opens_a_task,
    user.further_request_opens_a_task,
    user.declined_offer_is_nothing,
    user.small_talk_is_nothing,
    user.change_of_mind_updates_the_description,
    user.answer_belongs_to_the_task,
    user.follow_up_may_open_a_task,
)
_AGENT: Sequence[Rule] = (
    agent.answer_to_an_aside_is_nothing,
    agent.plan_noted_with_a_tool_is_followed,
    agent.stated_plan_is_proposed,
    agent.acting_on_the_plan_is_agreement_enough,
    agent.told_step_is_done,
    agent.announced_step_begins,
    agent.next_step_begins_when_one_is_done,
    agent.repeated_call_merges_what_was_one,
    agent.repeated_call_takes_the_task_up_again,
    agent.call_without_a_task_opens_one,
    agent.call_starts_the_task,
    agent.failure_ends_the_task,
    agent.report_completes_the_task,
    agent.claim_completes_work_without_tools,
    agent.engaging_starts_the_task,
    agent.answer_to_a_follow_up_stays,
)
_TOOL: Sequence[Rule] = (tools.result_answers_its_call,)


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


def _rules_for(message: Message) -> Sequence[Rule]:
    if message.role == "assistant":
        return _AGENT
    if message.role != "user":
        return ()
    return (*_TOOL[: bool(message.results)], *_USER) if message.text else _TOOL
