"""GetSessionContext: within the budget, with every preference, and no call without its result."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from grpc import StatusCode, aio
from hypothesis import given
from hypothesis import strategies as st

from acontext.observer import v1 as observer
from acontext.session import v1 as pb
from acontext_server.kit.rpc import reason_of
from acontext_server.session.condensing import Picked, TaskNote, pick, summarise
from acontext_server.session.content import Content, Part, PartType, Role
from acontext_server.session.domain import Message, MessageId, SessionId, Status, TaskId
from acontext_server.session.tokens import count_text
from evaluation.contexts import SHARE, Measured, longest, measured, told
from evaluation.conversations import Conversation as Labelled
from tests.session.conversation import Conversation

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = ("sgd/dev-200.jsonl", "tau-bench/airline-dev.jsonl")
EVERYTHING = 10**6


def note(order: int, status: str, *progresses: str, wants: Sequence[str] = ()) -> TaskNote:
    return TaskNote(
        id=TaskId(UUID(int=order)),
        order=order,
        status=status,
        description=f"do thing {order}",
        progresses=progresses,
        preferences=wants,
    )


NOTES = [
    note(1, "success", "I looked", "I found", wants=["user wants tea"]),
    note(2, "failed", "I fell", wants=["User wants  tea", "user expects speed"]),
    note(3, "running", "I began", wants=["user wants it red"]),
    note(4, "pending"),
]


def test_a_summary_tells_preferences_then_closed_tasks_then_open_ones() -> None:
    summary = summarise(NOTES, budget=EVERYTHING, share=EVERYTHING, count=count_text)
    assert summary.text.splitlines() == [
        "What the user expects:",
        "- User wants tea",
        "- user expects speed",
        "- user wants it red",
        "Closed tasks:",
        "1. do thing 1 (success)",
        "- I looked",
        "- I found",
        "2. do thing 2 (failed)",
        "- I fell",
        "Open tasks:",
        "3. do thing 3 (running)",
        "4. do thing 4 (pending)",
    ]


def test_nothing_to_tell_is_no_summary() -> None:
    assert summarise([], budget=9, share=9, count=count_text).tokens == 0


LINES = st.lists(st.text(min_size=1), max_size=3)
NOTED = st.builds(
    TaskNote,
    id=st.just(TaskId(UUID(int=0))),
    order=st.integers(1, 9),
    status=st.sampled_from(["pending", "running", "success", "failed"]),
    description=st.text(min_size=1),
    progresses=LINES,
    preferences=LINES,
)


@given(
    st.lists(NOTED, max_size=6, unique_by=lambda one: one.order),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_a_summary_is_counted_right_and_within_its_budget(
    notes: list[TaskNote], budget: int, share: int
) -> None:
    summary = summarise(notes, budget=budget, share=share, count=count_text)
    counted = count_text(f"{summary.text}\n") if summary.text else 0
    assert summary.tokens == counted <= max(budget, share)
    if share <= budget:
        more = summarise(notes, budget=budget, share=share + 50, count=count_text)
        assert set(summary.text.splitlines()) <= set(more.text.splitlines())


def test_a_preference_that_is_too_long_leaves_the_others_their_place() -> None:
    notes = [note(1, "running", wants=["short"]), note(2, "running", wants=["long " * 100])]
    summary = summarise(notes, budget=20, share=10, count=count_text)
    assert summary.text.splitlines() == ["What the user expects:", "- short"]


def said(sequence: int, *parts: Part, task: int | None = None, tokens: int = 10) -> Message:
    now = datetime.now(UTC)
    return Message(
        id=MessageId(UUID(int=sequence)),
        session_id=SessionId(UUID(int=1)),
        sequence=sequence,
        parent_id=None,
        content=Content(role=Role.USER, parts=parts or (text(),), meta={}),
        tokens=tokens,
        status=Status.SUCCESS,
        task_id=TaskId(UUID(int=task)) if task else None,
        created_at=now,
        updated_at=now,
    )


def text() -> Part:
    return Part(type=PartType.TEXT, text="hello")


def call(name: str, *, by_name: bool = False) -> Part:
    return Part(type=PartType.TOOL_CALL, meta={"name": name} if by_name else {"id": name})


def result(name: str, *, by_name: bool = False) -> Part:
    meta: Any = {"function_name": name} if by_name else {"tool_call_id": name}
    return Part(type=PartType.TOOL_RESULT, text="done", meta=meta)


def picked(messages: Sequence[Message], *, budget: int = 1000, room: int = 1000) -> Picked:
    closed = frozenset({TaskId(UUID(int=1))})
    return pick(messages, closed, budget=budget, room=room, weigh=lambda _: 1)


def sequences(found: Picked) -> list[int]:
    return [message.sequence for message in found.messages]


def test_closed_tasks_are_not_verbatim_and_all_else_is() -> None:
    assert sequences(picked([said(1), said(2, task=1), said(3, task=2), said(4)])) == [1, 3, 4]


def test_the_newest_come_first_until_the_budget_is_used() -> None:
    found = picked([said(1, tokens=1), said(2, tokens=20), said(3), said(4)], budget=25)
    assert (sequences(found), found.is_full) == ([3, 4], True)


def test_what_is_larger_than_everything_is_passed_over() -> None:
    assert sequences(picked([said(1), said(2), said(3, tokens=99)], budget=25)) == [1, 2]


def test_an_answer_does_not_grow_beyond_its_bytes() -> None:
    found = picked([said(1), said(2), said(3)], room=2)
    assert (sequences(found), found.is_full) == ([2, 3], True)


def test_calls_stay_with_their_results_even_across_the_end_of_a_task() -> None:
    talk = [said(1, call("a"), call("b"), task=1), said(2, result("a"), task=1), said(3)]
    assert sequences(picked([*talk, said(4, result("b"), task=2)])) == [1, 2, 3, 4]
    assert sequences(picked([*talk, said(4, result("b"), task=2)], budget=25)) == [3]


def test_open_calls_and_results_of_nothing_are_left_out() -> None:
    talk = [said(1, result("x")), said(2, call("a"), call("b")), said(3, result("a")), said(4)]
    found = picked(talk)
    assert (sequences(found), found.is_full) == ([4], False)


def test_an_id_that_comes_again_is_another_call() -> None:
    talk = [said(1, call("a")), said(2, result("a")), said(3, call("a")), said(4, result("a"))]
    assert sequences(picked(talk, budget=25)) == [3, 4]
    assert sequences(picked([*talk, said(5, call("a"))])) == [1, 2, 3, 4]


def test_a_message_that_answers_two_exchanges_joins_them() -> None:
    talk = [said(1, call("a")), said(2, call("b")), said(3, result("a"), result("b"), call("c"))]
    assert sequences(picked(talk)) == []
    assert sequences(picked([*talk, said(4, result("c"))])) == [1, 2, 3, 4]
    assert sequences(picked([*talk, said(4, result("c"))], budget=35)) == []


def test_functions_without_ids_are_paired_by_name() -> None:
    talk = [said(1, call("f", by_name=True)), said(2, result("f", by_name=True))]
    assert sequences(picked(talk)) == [1, 2]
    assert sequences(picked(talk[1:])) == []


def blob(role: str, **fields: object) -> dict[str, object]:
    return {"role": role, **fields}


def order_of_tea(call_id: str) -> list[dict[str, object]]:
    function = {"name": "order", "arguments": '{"what":"tea"}'}
    calls = [{"id": call_id, "type": "function", "function": function}]
    return [
        blob("user", content="Order some tea for me. I always want it green."),
        blob("assistant", tool_calls=calls),
        blob("tool", tool_call_id=call_id, content='{"status": "ordered"}'),
        blob("assistant", content="Done: the green tea is ordered."),
        blob("user", content="Perfect, thank you."),
    ]


async def context_of(talk: Conversation, session_id: str, budget: int) -> dict[str, Any]:
    request = pb.GetSessionContextJsonRequest(session_id=session_id, token_budget=budget)
    answer = await talk.sessions.GetSessionContextJson(request, metadata=talk.metadata)
    return dict(json.loads(answer.data))


async def observed(talk: Conversation, blobs: Sequence[Any]) -> str:
    session_id: str = (await talk.create()).id
    for one in blobs:
        await talk.put(session_id, one)
    tasks: Any = observer.TaskServiceStub(talk.platform.channel("observer"))
    request = observer.FlushSessionRequest(session_id=session_id)
    flushed = await tasks.FlushSession(request, metadata=talk.metadata)
    assert flushed.status == 200, flushed
    return session_id


async def test_a_closed_task_is_condensed_and_what_follows_is_verbatim(
    talk: Conversation,
) -> None:
    await talk.platform.start("observer")
    session_id = await observed(talk, order_of_tea("call_1"))
    newest = blob("user", content="Now book a table for two.")
    await talk.put(session_id, newest)
    context = await context_of(talk, session_id, 1000)
    assert context["items"][-1] == newest
    assert not [one for one in context["items"] if one.get("tool_calls")]
    assert re.search(r"^1\. .*tea.* \(success\)$", context["summary"], re.MULTILINE)
    assert "green" in context["summary"].split("Closed tasks:")[0]
    assert len(context["ids"]) == len(context["items"])
    request = pb.GetSessionContextRequest(session_id=session_id, token_budget=1000)
    typed = await talk.sessions.GetSessionContext(request, metadata=talk.metadata)
    assert [one.id for one in typed.items] == list(typed.ids) == context["ids"]
    assert (typed.summary, typed.tokens) == (context["summary"], context["tokens"])
    assert (await context_of(talk, session_id, 1))["items"] == []


async def test_older_messages_are_read_until_the_budget_is_used(talk: Conversation) -> None:
    await talk.platform.start("observer")
    session = await talk.create(disable_task_tracking=True)
    for number in range(450):
        await talk.say(session.id, f"{number:03}")
    context = await context_of(talk, session.id, EVERYTHING)
    assert [one["content"] for one in context["items"]] == [f"{n:03}" for n in range(450)]
    assert context["summary"] == ""
    some = await context_of(talk, session.id, 25)
    assert (len(some["items"]), some["tokens"]) == (12, 24)


async def test_without_observer_there_is_no_context_but_a_reason(talk: Conversation) -> None:
    session = await talk.create()
    with pytest.raises(aio.AioRpcError) as refusal:
        await context_of(talk, session.id, 100)
    assert refusal.value.code() is StatusCode.UNAVAILABLE
    assert reason_of(refusal.value) == "UNAVAILABLE"
    with pytest.raises(aio.AioRpcError) as refusal:
        await context_of(talk, str(uuid4()), 100)
    assert reason_of(refusal.value) == "SESSION_NOT_FOUND"


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data here")
async def test_the_longest_conversations_fit_into_a_quarter(talk: Conversation) -> None:
    await talk.platform.start("observer")
    rows = [
        await at_a_quarter(talk, conversation)
        for file in FILES
        for conversation in longest(DATA / file)
    ]
    assert all(row.is_right for row in rows), f"\n{told(rows)}"
    assert any(row.preferences[1] for row in rows)
    assert any(row.calls[0] for row in rows)


async def at_a_quarter(talk: Conversation, conversation: Labelled) -> Measured:
    session_id = await observed(talk, conversation.messages)
    count = pb.GetTokenCountsRequest(session_id=session_id)
    whole = (await talk.sessions.GetTokenCounts(count, metadata=talk.metadata)).total_tokens
    budget = int(whole * SHARE)
    request = pb.GetSessionContextRequest(session_id=session_id, token_budget=budget)
    context = await talk.sessions.GetSessionContext(request, metadata=talk.metadata)
    tasks: Any = observer.TaskServiceStub(talk.platform.channel("observer"))
    listed = await tasks.ListTasks(
        observer.ListTasksRequest(session_id=session_id), metadata=talk.metadata
    )
    return measured(conversation, whole, budget, context, listed.items)
